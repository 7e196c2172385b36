-- The XML is from hwloc's test suite (BSD licence, see COPYING.hwloc), cut down to cores and nodes.

topology "x3950m2" {
  about   = "IBM x3950 M2: four boards, each a NUMA node of four Xeon 7460 (96 cores in all).",
  machine = "hake/topologies/x3950m2.xml",
}
