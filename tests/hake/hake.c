/*
 * The parts of hake: words and sizes, topologies, the guest's lines, the image.
 */
#include <cpio/cpio.h>
#include <machine/machine.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <unit.h>

#include "guest.h"
#include "image.h"
#include "topology.h"

/* hake gives no memory back (see util.h), so there is nothing to be learnt from leaks. */
const char *__asan_default_options(void);

const char *__asan_default_options(void)
{
	return "detect_leaks=0";
}

TEST(nearest_word_is_suggested_and_a_far_one_is_not)
{
	struct strv known = {0};

	strv_split(&known, "sources libs topology");
	CHECK_STRING(suggest("source", &known), "; did you mean \"sources\"?");
	CHECK_STRING(suggest("lisb", &known), "; did you mean \"libs\"?");
	CHECK_STRING(suggest("topo", &known), "; did you mean \"topology\"?");
	CHECK_STRING(suggest("elephant", &known), "");
}

TEST(sizes_have_units_and_anything_else_is_zero)
{
	CHECK_EQUAL(parse_size("4096"), 4096);
	CHECK_EQUAL(parse_size("64K"), 65536);
	CHECK_EQUAL(parse_size("3m"), 3 * MiB);
	CHECK_EQUAL(parse_size("2G"), 2 * GiB);
	CHECK_EQUAL(parse_size(""), 0);
	CHECK_EQUAL(parse_size("-1"), 0);
	CHECK_EQUAL(parse_size("2GB"), 0);
	CHECK_EQUAL(parse_size("G"), 0);
}

TEST(lines_of_a_guest_are_told_apart_by_their_first_word)
{
	CHECK(line_is("@core id=0", "core"));
	CHECK(line_is("@core", "core"));
	CHECK(!line_is("@cores id=0", "core"));
	CHECK(!line_is("core id=0", "core"));
}

TEST(values_of_a_line_are_found_by_their_keys)
{
	const char *line = "@test name=a_b result=pass detail=\"x result=fail\" n=3";

	CHECK_STRING(line_value(line, "name"), "a_b");
	CHECK_STRING(line_value(line, "result"), "pass");
	CHECK_STRING(line_value(line, "detail"), "x result=fail");
	CHECK_STRING(line_value(line, "n"), "3");
	CHECK(line_value(line, "ame") == NULL);
	CHECK(line_value(line, "x") == NULL);
	CHECK(line_value("@exit", "code") == NULL);
}

TEST(descriptions_are_completed)
{
	CHECK_STRING(synthetic_complete("core:4"), "pack:1 numa:1 core:4 pu:1");
	CHECK_STRING(synthetic_complete("pack:2 die:4 core:8"), "pack:2 numa:1 die:4 core:8 pu:1");
	CHECK_STRING(synthetic_complete(" socket:2  numa:2 core:8 thread:2"),
		     "pack:2 numa:2 core:8 pu:2");
	CHECK_STRING(synthetic_complete("pack:2 l3:2 core:4"), "pack:2 numa:1 l3:2 core:4 pu:1");
}

TEST(threads_are_cores_beside_each_other)
{
	struct topology *t = topology_load("pack:2 numa:1 core:3 pu:2", 0);

	CHECK_EQUAL(t->ncores, 12);
	CHECK_EQUAL(t->cores[1].core, 0);
	CHECK_EQUAL(t->cores[1].thread, 1);
	CHECK_EQUAL(t->cores[2].core, 1);
	CHECK_EQUAL(t->cores[6].socket, 1);
	/* 1 bit of threads, 2 of cores: the second socket's ids begin at 8. */
	CHECK_EQUAL(t->cores[5].apic_id, 5);
	CHECK_EQUAL(t->cores[6].apic_id, 8);
	CHECK(t->irregular == NULL);
}

TEST(nodes_of_one_socket_are_near_and_others_far)
{
	struct topology *t = topology_load("pack:2 die:2 numa:1 core:2", 0);

	CHECK_EQUAL(t->nnodes, 4);
	CHECK_EQUAL(t->distance[0], 10);
	CHECK_EQUAL(t->distance[1], 12);
	CHECK_EQUAL(t->distance[2], 21);
	CHECK_EQUAL(t->cores[2].die, 1);
	CHECK_EQUAL(t->cores[4].die, 0);
}

TEST(fewer_cores_keep_their_places_and_their_nodes)
{
	struct topology *t = topology_load("8socket-255", 33);

	CHECK_EQUAL(t->ncores, 33);
	CHECK_EQUAL(t->nnodes, 2);
	CHECK_EQUAL(t->sockets, 2);
	CHECK_EQUAL(t->cores[32].apic_id, 32);
	CHECK_EQUAL(t->distance[1], 21);
}

TEST(memory_is_shared_out_to_the_nodes)
{
	struct topology *t = topology_load("2socket-32", 0);

	topology_set_memory(t, GiB);
	CHECK_EQUAL(t->node_bytes[1], GiB / 2);
	CHECK_EQUAL(topology_memory(t), GiB);
}

TEST(every_preset_can_be_run_and_described)
{
	static const struct {
		const char *name;
		u32 cores, nodes, last_id;
	} presets[] = {
		{"laptop", 4, 1, 3},           {"2socket-32", 32, 2, 31}, {"4socket-64", 64, 4, 63},
		{"8socket-255", 255, 8, 254},  {"512", 512, 8, 511},      {"x3950m2", 96, 4, 125},
		{"xeon-e5-2683v3", 28, 4, 29},
	};

	for (size_t i = 0; i < ARRAY_SIZE(presets); i++) {
		struct topology *t = topology_load(presets[i].name, 0);
		struct machine *m = topology_machine(t);

		CHECK_EQUAL(t->ncores, presets[i].cores);
		CHECK_EQUAL(t->nnodes, presets[i].nodes);
		CHECK_EQUAL(t->cores[t->ncores - 1].apic_id, presets[i].last_id);
		CHECK(t->irregular == NULL);
		CHECK_EQUAL(machine_check(m, m->size_bytes), 0);
	}
}

TEST(distances_come_from_the_machine_where_it_has_them)
{
	struct topology *t = topology_load("xeon-e5-2683v3", 0);

	CHECK_EQUAL(t->distance[0 * 4 + 1], 21);
	CHECK_EQUAL(t->distance[0 * 4 + 2], 31);
}

/* An image with this very program in it, and a text. */
static struct buf new_image(struct topology *t)
{
	static struct pair files[] = {{"etc/motd", "etc/hostname"}, {"sbin/self", "proc/self/exe"}};
	struct item it = {.kind = IMAGE, .name = "image", .where = "here", .dir = ""};
	struct item *list[] = {&it};
	struct project p = {.v = list, .n = 1};
	struct buf b = {0};

	/* Not where the images are that are booted. */
	if (!ends_with(build_dir(), "/tests/hake-images"))
		setenv("SKERRY_BUILD", strf("%s/tests/hake-images", build_dir()), 1);
	it.files.v = files;
	it.files.n = ARRAY_SIZE(files);
	REQUIRE(file_read(image_write(&p, t), &b) == 0);
	return b;
}

TEST(image_is_an_archive_with_its_folders_first)
{
	struct topology *t = topology_load("laptop", 0);
	struct buf b = new_image(t);
	static const char *const wanted[] = {"boot",     "boot/topology", "etc",
					     "etc/motd", "sbin",          "sbin/self"};
	struct cpio_entry e;
	struct cpio c;
	size_t n = 0;

	cpio_begin(&c, b.v, b.n);
	while (cpio_next(&c, &e)) {
		REQUIRE(n < ARRAY_SIZE(wanted));
		CHECK_STRING(e.name, wanted[n]);
		CHECK_EQUAL(e.mode & CPIO_TYPE_MASK, n % 2 ? CPIO_TYPE_FILE : CPIO_TYPE_FOLDER);
		n++;
	}
	CHECK_EQUAL(c.error, CPIO_OK);
	CHECK_EQUAL(n, ARRAY_SIZE(wanted));
}

TEST(programs_in_the_image_begin_on_a_page)
{
	struct buf b = new_image(topology_load("laptop", 0)), self = {0};
	struct cpio_entry e;
	u64 where;

	REQUIRE(file_read("/proc/self/exe", &self) == 0);
	CHECK_EQUAL(cpio_find(b.v, b.n, "sbin/self", &e, &where), CPIO_OK);
	CHECK_EQUAL(e.offset % PAGE_SIZE, 0);
	CHECK_EQUAL(e.size, self.n);
	CHECK(memcmp(e.data, self.v, self.n) == 0);
	CHECK_EQUAL(e.mode & 0777, 0755);
}

TEST(image_carries_the_machine)
{
	struct topology *t = topology_load("4socket-64", 0);
	struct buf b = new_image(t);
	struct machine *m = topology_machine(t);
	struct cpio_entry e;
	u64 where;

	CHECK_EQUAL(cpio_find(b.v, b.n, "boot/topology", &e, &where), CPIO_OK);
	CHECK_EQUAL(e.size, m->size_bytes);
	CHECK(memcmp(e.data, m, m->size_bytes) == 0);
}

TEST(image_is_the_same_when_made_again)
{
	struct topology *t = topology_load("laptop", 0);
	struct buf a = new_image(t), b;

	sleep(1); /* no time of day in it */
	remove(strf("%s/images/%s.cpio", build_dir(), topology_file_name(t)));
	b = new_image(t);
	CHECK_EQUAL(a.n, b.n);
	CHECK(memcmp(a.v, b.v, a.n) == 0);
}
