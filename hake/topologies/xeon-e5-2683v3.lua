-- The XML is from hwloc's test suite (BSD licence, see COPYING.hwloc), cut down to cores and nodes.

topology "xeon-e5-2683v3" {
  about   = "Cisco UCS B200 M4: two Xeon E5-2683 v3 with cluster on die, two nodes each (28 cores).",
  machine = "hake/topologies/xeon-e5-2683v3.xml",
}
