"""One module per kind of stage; each is a plain function of a serialisable spec."""
