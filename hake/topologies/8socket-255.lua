topology "8socket-255" {
  about     = "Eight sockets of 32 cores but for the last, which has 31: as many as 8-bit APIC ids can name.",
  machine   = "pack:8 numa:1 core:32 pu:1",
  cores     = 255,
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
