"""What can be set of a run, as its members' constructors and its own functions say."""
