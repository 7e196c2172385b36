/*
 * Topologies through hwloc. See topology.h; the command that shows one is in topology_show.c.
 */
#include "topology.h"

#include <errno.h>
#include <glob.h>
#include <hwloc.h>
#include <machine/machine.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"

#define PRESETS "hake/topologies"

/* Memory of a node unless the preset says: enough to work in, little enough for a laptop. */
#define NODE_BYTES_MIN (256 * MiB) /* the image of all tests, unpacked, in half of it */
#define BYTES_PER_CORE (8 * MiB)
#define BYTES_GRAIN    (2 * MiB)

/* Distances unless they are given, as firmware of such machines likes to report them. */
#define DISTANCE_LOCAL  10
#define DISTANCE_SOCKET 12 /* other node of the same socket */
#define DISTANCE_REMOTE 21

static struct strv preset_names(void)
{
	struct strv names = {0};
	glob_t g;

	if (glob(PRESETS "/*.lua", 0, NULL, &g) == 0) {
		for (size_t i = 0; i < g.gl_pathc; i++) {
			const char *name = g.gl_pathv[i] + strlen(PRESETS "/");

			strv_addf(&names, "%.*s", (int)(strlen(name) - 4), name);
		}
	}
	return names;
}

static void load_xml(hwloc_topology_t h, const char *name, const char *path)
{
	if (!file_exists(path))
		die("topology \"%s\": there is no file %s", name, path);
	if (hwloc_topology_set_xml(h, path))
		die("topology \"%s\": %s is not an XML file of hwloc (make one with: lstopo "
		    "machine.xml)",
		    name, path);
}

/* Lets hwloc load @machine: a description, a file, or "this". */
static hwloc_topology_t load_hwloc(const char *name, const char *machine)
{
	hwloc_topology_t h;

	if (hwloc_topology_init(&h))
		die("hwloc does not start: %s", strerror(errno));
	if (strchr(machine, ':') || strchr(machine, ' ')) {
		if (hwloc_topology_set_synthetic(h, synthetic_complete(machine)))
			die("topology \"%s\": hwloc refuses \"%s\" (see hake/README.md, "
			    "Topologies)",
			    name, synthetic_complete(machine));
	} else if (strcmp(machine, "this")) {
		load_xml(h, name, machine);
	}
	if (hwloc_topology_load(h))
		die("topology \"%s\": hwloc cannot load it; is the file whole?", name);
	return h;
}

/* The number of @key among the first *@n of @keys, where it is put if it is new. */
static u32 number_of(const void **keys, u32 *n, const void *key)
{
	for (u32 i = 0; i < *n; i++) {
		if (keys[i] == key)
			return i;
	}
	keys[*n] = key;
	return (*n)++;
}

/* The object of @type around @pu, or the one that stands for it where there is none. */
static const void *around(hwloc_topology_t h, hwloc_obj_type_t type, hwloc_obj_t pu,
			  const void *none)
{
	hwloc_obj_t obj = hwloc_get_ancestor_obj_by_type(h, type, pu);

	return obj ? obj : none;
}

static hwloc_obj_t node_of(hwloc_topology_t h, hwloc_obj_t pu)
{
	int os_index = pu->nodeset ? hwloc_bitmap_first(pu->nodeset) : -1;
	hwloc_obj_t node =
		os_index < 0 ? NULL : hwloc_get_numanode_obj_by_os_index(h, (unsigned)os_index);

	return node ? node : hwloc_get_obj_by_type(h, HWLOC_OBJ_NUMANODE, 0);
}

/* Numbers every PU's surroundings; @nodes gets hwloc's node of each of ours. */
static void number_cores(struct topology *t, hwloc_topology_t h, const void **nodes)
{
	u32 n = t->ncores;
	const void **sockets = alloc(n * sizeof(void *)), **dies = alloc(n * sizeof(void *));
	const void **cores = alloc(n * sizeof(void *)), *die = NULL, *core = NULL;
	u32 nsockets = 0, ndies = 0, ncores = 0, thread = 0;

	for (u32 i = 0; i < n; i++) {
		hwloc_obj_t pu = hwloc_get_obj_by_type(h, HWLOC_OBJ_PU, i);
		const void *socket = around(h, HWLOC_OBJ_PACKAGE, pu, t);
		struct topo_core *c = &t->cores[i];
		u32 before = nsockets;

		c->socket = number_of(sockets, &nsockets, socket);
		if (nsockets != before)
			ndies = 0;
		if (around(h, HWLOC_OBJ_DIE, pu, socket) != die)
			ncores = 0;
		die = around(h, HWLOC_OBJ_DIE, pu, socket);
		c->die = number_of(dies, &ndies, die);
		thread = around(h, HWLOC_OBJ_CORE, pu, pu) == core ? thread + 1 : 0;
		core = around(h, HWLOC_OBJ_CORE, pu, pu);
		c->core = number_of(cores, &ncores, core);
		c->thread = thread;
		c->node = number_of(nodes, &t->nnodes, node_of(h, pu));
	}
}

static u32 bits_for(u32 n)
{
	return n <= 1 ? 0 : 32 - (u32)__builtin_clz(n - 1);
}

/* The most of each level in the one above. */
static void find_shape(struct topology *t)
{
	t->sockets = t->dies = t->cores_per_die = t->threads = 1;
	for (u32 i = 0; i < t->ncores; i++) {
		t->sockets = MAX(t->sockets, t->cores[i].socket + 1);
		t->dies = MAX(t->dies, t->cores[i].die + 1);
		t->cores_per_die = MAX(t->cores_per_die, t->cores[i].core + 1);
		t->threads = MAX(t->threads, t->cores[i].thread + 1);
	}
}

/* QEMU fills its shape from the front: whether that gives just these cores. */
static bool is_regular(const struct topology *t)
{
	for (u32 i = 0; i < t->ncores; i++) {
		const struct topo_core *c = &t->cores[i];

		if (((c->socket * t->dies + c->die) * t->cores_per_die + c->core) * t->threads +
			    c->thread !=
		    i)
			return false;
	}
	return true;
}

/* Makes every thread a core, as for processors of which only some cores have two threads. */
static void flatten_threads(struct topology *t)
{
	u32 next = 0;

	for (u32 i = 0; i < t->ncores; i++) {
		struct topo_core *c = &t->cores[i], *before = i ? c - 1 : c;

		if (c->socket != before->socket || c->die != before->die)
			next = 0;
		c->core = next++;
		c->thread = 0;
	}
}

/*
 * QEMU's APIC ids are bit fields, each just wide enough (its x86_apicid_from_topo_ids, as
 * processors have them by Intel SDM vol. 3A, 10.9.1).
 */
static void number_apics(struct topology *t)
{
	find_shape(t);
	if (!is_regular(t)) {
		flatten_threads(t);
		find_shape(t);
	}
	if (!is_regular(t))
		t->irregular = "its sockets or dies differ in their numbers of cores";
	for (u32 i = 0; i < t->ncores; i++) {
		struct topo_core *c = &t->cores[i];
		u32 id = c->socket;

		id = id << bits_for(t->dies) | c->die;
		id = id << bits_for(t->cores_per_die) | c->core;
		c->apic_id = id << bits_for(t->threads) | c->thread;
	}
}

static void default_distances(struct topology *t)
{
	u32 *socket = alloc(t->nnodes * sizeof(*socket));

	for (u32 i = 0; i < t->ncores; i++)
		socket[t->cores[i].node] = t->cores[i].socket;
	for (u32 i = 0; i < t->nnodes; i++) {
		for (u32 j = 0; j < t->nnodes; j++)
			t->distance[i * t->nnodes + j] = i == j                   ? DISTANCE_LOCAL
							 : socket[i] == socket[j] ? DISTANCE_SOCKET
										  : DISTANCE_REMOTE;
	}
}

/* The distances that the machine itself reports, if hwloc has them for all our nodes. */
static void hwloc_distances(struct topology *t, hwloc_topology_t h, const void **nodes)
{
	struct hwloc_distances_s *d = NULL;
	unsigned n = 1;

	if (hwloc_distances_get_by_type(h, HWLOC_OBJ_NUMANODE, &n, &d,
					HWLOC_DISTANCES_KIND_MEANS_LATENCY, 0) ||
	    n == 0)
		return;
	for (u32 i = 0; i < t->nnodes; i++) {
		for (u32 j = 0; j < t->nnodes; j++) {
			int a = hwloc_distances_obj_index(d, (hwloc_obj_t)nodes[i]);
			int b = hwloc_distances_obj_index(d, (hwloc_obj_t)nodes[j]);
			u64 local, value;

			if (a < 0 || b < 0)
				return;
			local = MAX(d->values[(u32)a * d->nbobjs + (u32)a], 1ul);
			value = d->values[(u32)a * d->nbobjs + (u32)b] * DISTANCE_LOCAL / local;
			if (i != j)
				t->distance[i * t->nnodes + j] =
					(u8)MIN(MAX(value, DISTANCE_LOCAL + 1ul), 254ul);
		}
	}
}

/* The rows of numbers that a preset gives. */
static void preset_distances(struct topology *t, const struct item *preset, u32 nnodes)
{
	if (preset->distances.n != nnodes)
		die("%s: distances of %s must be %u rows", preset->where, preset->name, nnodes);
	for (u32 i = 0; i < nnodes; i++) {
		struct strv row = {0};

		strv_split(&row, preset->distances.v[i]);
		if (row.n != nnodes)
			die("%s: row %u of distances must be %u numbers", preset->where, i + 1,
			    nnodes);
		for (u32 j = 0; j < nnodes; j++) {
			int d = atoi(row.v[j]);

			if (i == j ? d != DISTANCE_LOCAL : d < DISTANCE_LOCAL || d > 254)
				die("%s: distance %s in row %u: 10 is local, others are 10 to 254",
				    preset->where, row.v[j], i + 1);
			t->distance[i * nnodes + j] = (u8)d;
		}
	}
}

/* Keeps the first @n cores, and the nodes that have any of them. */
static void keep_cores(struct topology *t, u32 n)
{
	u32 old = t->nnodes;

	t->ncores = n;
	t->nnodes = 0;
	for (u32 i = 0; i < n; i++)
		t->nnodes = MAX(t->nnodes, t->cores[i].node + 1);
	for (u32 i = 0; i < t->nnodes; i++)
		memmove(t->distance + i * t->nnodes, t->distance + i * old, t->nnodes);
}

static void default_memory(struct topology *t, const char *memory, const char *where)
{
	u64 each = memory ? parse_size(memory) : 0;

	if (memory && (!each || each % BYTES_GRAIN))
		die("%s: memory = \"%s\": expected a size a node, a multiple of 2M, such as "
		    "\"256M\"",
		    where, memory);
	t->node_bytes = alloc(t->nnodes * sizeof(u64));
	for (u32 i = 0; i < t->ncores && !memory; i++)
		t->node_bytes[t->cores[i].node] += BYTES_PER_CORE;
	for (u32 i = 0; i < t->nnodes; i++)
		t->node_bytes[i] = memory ? each : MAX(t->node_bytes[i], NODE_BYTES_MIN);
}

/* The preset of that name, or NULL if @spec says itself what the machine is. */
static struct item *find_preset(const char *spec)
{
	struct strv known = preset_names();

	if (strchr(spec, ':') || strchr(spec, ' ') || strchr(spec, '/') ||
	    ends_with(spec, ".xml") || strcmp(spec, "this") == 0)
		return NULL;
	if (strv_has(&known, spec))
		return topology_file_load(strf(PRESETS "/%s.lua", spec));
	strv_add(&known, "this");
	die("there is no topology \"%s\"%s\n  there are: %s; or say \"pack:2 core:8\", or the name "
	    "of an hwloc "
	    "XML file (see hake/README.md, Topologies)",
	    spec, suggest(spec, &known), strv_join(&known, ", "));
}

struct topology *topology_load(const char *spec, u32 max_cores)
{
	struct item *preset = find_preset(spec);
	hwloc_topology_t h = load_hwloc(spec, preset ? preset->machine : spec);
	struct topology *t = alloc(sizeof(*t));
	int pus = hwloc_get_nbobjs_by_type(h, HWLOC_OBJ_PU);
	const void **nodes;
	u32 keep;

	if (pus < 1 || pus > (int)MACHINE_MAX_CORES)
		die("topology \"%s\" has %d cores; Skerry can have 1 to %u", spec, pus,
		    MACHINE_MAX_CORES);
	t->name = spec;
	t->about = preset ? preset->about : NULL;
	t->ncores = (u32)pus;
	t->cores = alloc(t->ncores * sizeof(*t->cores));
	nodes = alloc(t->ncores * sizeof(*nodes));
	number_cores(t, h, nodes);
	t->distance = alloc((size_t)t->nnodes * t->nnodes);
	default_distances(t);
	if (preset && preset->distances.n)
		preset_distances(t, preset, t->nnodes);
	else
		hwloc_distances(t, h, nodes);
	hwloc_topology_destroy(h);
	keep = preset && preset->cores ? (u32)preset->cores : t->ncores;
	if (max_cores > keep)
		die("topology \"%s\" has %u cores, so it cannot have %u", spec, keep, max_cores);
	keep_cores(t, max_cores ? max_cores : MIN(keep, t->ncores));
	number_apics(t);
	if (t->nnodes > MACHINE_MAX_NODES)
		die("topology \"%s\" has %u NUMA nodes; Skerry can have %u", spec, t->nnodes,
		    MACHINE_MAX_NODES);
	default_memory(t, preset ? preset->memory : NULL, preset ? preset->where : "");
	return t;
}

void topology_set_memory(struct topology *t, u64 bytes)
{
	u64 each = ROUND_UP(bytes / t->nnodes, BYTES_GRAIN);

	for (u32 i = 0; i < t->nnodes; i++)
		t->node_bytes[i] = each;
}

u64 topology_memory(const struct topology *t)
{
	u64 bytes = 0;

	for (u32 i = 0; i < t->nnodes; i++)
		bytes += t->node_bytes[i];
	return bytes;
}

struct machine *topology_machine(const struct topology *t)
{
	struct machine_counts counts = {.cores = t->ncores, .nodes = t->nnodes};
	size_t len = machine_size(&counts);
	struct machine *m = machine_init(alloc(len), len, &counts);

	m->flags = MACHINE_EXPECTED;
	for (u32 i = 0; i < t->ncores; i++) {
		struct machine_core *c = &machine_cores(m)[i];

		c->apic_id = t->cores[i].apic_id;
		c->node = (u16)t->cores[i].node;
		c->socket = (u16)t->cores[i].socket;
		c->die = (u16)t->cores[i].die;
	}
	memcpy((u8 *)m + m->distance_off, t->distance, (size_t)t->nnodes * t->nnodes);
	machine_build_tree(m, MACHINE_FANOUT);
	if (machine_check(m, len))
		die("topology \"%s\": its description contradicts itself (a bug of hake)", t->name);
	return m;
}

char *topology_file_name(const struct topology *t)
{
	char *name = strf("%s-%u", t->name, t->ncores);

	for (char *s = name; *s; s++) {
		if (strchr(" :/", *s))
			*s = *s == ':' ? '=' : '_';
	}
	return name;
}
