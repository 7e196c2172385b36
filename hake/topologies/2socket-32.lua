topology "2socket-32" {
  about     = "Two sockets of 16 cores, a NUMA node each.",
  machine   = "pack:2 numa:1 core:16 pu:1",
}
