"""FutuOpenD's protocol, from the server's side: bytes in, bytes out, never a socket."""
