"""One file a command: parse, ask the desk or the session, emit. No trading logic here."""
