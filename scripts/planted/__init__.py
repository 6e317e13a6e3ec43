"""A test bed where the truth is known: pictures with planted faults, and the score of an audit."""
