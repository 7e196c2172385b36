topology "laptop" {
  about     = "A laptop: one socket of four cores.",
  machine   = "pack:1 numa:1 core:4 pu:1",
}
