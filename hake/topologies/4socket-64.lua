topology "4socket-64" {
  about     = "Four sockets of 16 cores, fully meshed.",
  machine   = "pack:4 numa:1 core:16 pu:1",
}
