# Holds the figures of the check's guest against a machine's description.
#
# The first file is the description, each other one the figures of CORES-SOCKETS, in millicycles.
# What is expected follows from the description alone; the tolerances are for the instructions
# around an access, which are counted too.

function fail(text) { bad++; return text "  WRONG" }

# A figure in cycles, and what it must be: from @low to @high.
function row(what, cycles, low, high, why,    mark) {
	mark = cycles < low || cycles > high ? fail("") : ""
	printf "  %-34s %9.1f   %8.1f to %8.1f  %s%s\n", what, cycles, low, high, why, mark
}

FNR == NR {
	sub(/#.*/, "")
	if (NF == 3)
		m[$1] = $3
	next
}

FNR == 1 {
	split(FILENAME, path, "/")
	setup = path[length(path)]
	order[++nsetups] = setup
}

# The second of two figures of a name is the one with warm caches.
{ value[setup, $1] = $2 / 1000 }

function max(a, b) { return a > b ? a : b }

function latencies(s,    base, hit) {
	base = value[s, "l1"]
	row("L1 hit, in a chain", base, 0.5, 8, "instructions of the loop")
	row("L2 hit", value[s, "l2"] - base, m["l2_hit"] - 1, m["l2_hit"] + m["tlb_miss"] / 10, "l2_hit")
	hit = m["tlb_miss"] * max(0, 1 - m["tlb_entries"] / 1024)
	row("LLC hit", value[s, "llc"] - base - hit, m["llc_hit"] * 0.9, m["llc_hit"] * 1.1 + 2, "llc_hit")
	row("memory of this node", value[s, "dram"] - base - m["tlb_miss"], m["dram_local"] * 0.95,
	    m["dram_local"] * 1.05 + 2, "dram_local")
}

function one_core(s,    lines) {
	latencies(s)
	row("atomic on an own line", value[s, "atomic1"], m["atomic"], m["atomic"] + 8, "atomic")
}

function several(s, n, sockets,    near, far, line, service, across) {
	near = max(m["near_dirty"], m["near_upgrade"])
	far = max(m["far_dirty"], m["far_upgrade"])
	row("private counter, against one core", value[s, "private"] / value["1-1", "private"], 0.98, 1.02,
	    "linear")
	row("shared atomic, per operation", value[s, "atomic"] / n, near * 0.9,
	    (sockets > 1 ? far : near + m["atomic"]) * 1.1, "a transfer each")
	row("ping-pong in a socket, one way", value[s, "near"] / 2, (m["near_dirty"] + m["near_upgrade"]) * 0.95,
	    (m["near_dirty"] + m["near_upgrade"]) * 1.1 + 10, "near_dirty + near_upgrade")
	if (sockets > 1)
		row("ping-pong across, one way", value[s, "far"] / 2,
		    (m["far_dirty"] + m["far_upgrade"]) * 0.95,
		    (m["far_dirty"] + m["far_upgrade"]) * 1.1 + 10, "far_dirty + far_upgrade")
	row("false sharing, against private", value[s, "false"] / value[s, "private"], 20, 1000, "far worse")
	row("ticket lock, against one core", value[s, "ticket"] / n / value[s, "ticket1"], 8, 1000,
	    "hand-overs")
	row("MCS lock, against one core", value[s, "mcs"] / n / value[s, "mcs1"], 4, 1000, "hand-overs")
	service = 64 * m["mhz"] / m["dram_mbps"]
	line = value[s, "stream"]
	# Those of other sockets wait for the memory and then for the link.
	across = sockets > 1 ? 64 * m["mhz"] / m["link_mbps"] * n * (sockets - 1) / sockets : 0
	row("all stream from a node, a line", line, service * n * 0.95,
	    max(service * n * 1.2 + across, m["l2_hit"] + 20), across ? "bandwidth and links" : "bandwidth")
}

END {
	printf "  %-34s %9s   %20s\n", "", "cycles", "known answer"
	for (i = 1; i <= nsetups; i++) {
		split(order[i], part, "-")
		printf "%d cores, %d sockets\n", part[1], part[2]
		if (part[1] == 1)
			one_core(order[i])
		else if (("1-1", "private") in value)
			several(order[i], part[1], part[2])
	}
	# Each release of a ticket lock makes all waiters fetch its line again, one after the other;
	# of an MCS lock, one of them.
	if (("4-1", "ticket") in value && ("16-1", "ticket") in value) {
		print "from 4 to 16 cores of a socket, per hand-over"
		row("ticket lock", value["16-1", "ticket"] / value["4-1", "ticket"] / 4, 1.15, 4, "collapses")
		row("MCS lock", value["16-1", "mcs"] / value["4-1", "mcs"] / 4, 0.9, 1.1, "does not")
	}
	printf "%s\n", bad ? bad " figures are not what they must be" : "all figures are what they must be"
	exit bad > 0
}
