topology "512" {
  about     = "Eight sockets of 64 cores: x2APIC ids over 255.",
  machine   = "pack:8 numa:1 core:64 pu:1",
  -- Two boards of four sockets, each fully meshed; a hop more from board to board.
  distances = {
    "10 21 21 21 31 31 31 31",
    "21 10 21 21 31 31 31 31",
    "21 21 10 21 31 31 31 31",
    "21 21 21 10 31 31 31 31",
    "31 31 31 31 10 21 21 21",
    "31 31 31 31 21 10 21 21",
    "31 31 31 31 21 21 10 21",
    "31 31 31 31 21 21 21 10",
  },
}
