"""Running users' strategy files. Here: a plain xtquant script, as it is."""
