/* Names and memory (lib/agree/names.c, lib/memown). */
#include <unit.h>

#include "net.h"

static struct net n;

static const struct name_value seven = {{7, 0}};

TEST(a_name_is_found_from_any_core_and_then_locally)
{
	struct name_value v;
	u32 owner;
	u64 lines;

	net_start(&n, 4, 2, AGREE_TREE);
	CHECK_EQUAL(names_register(&n.core[3].names, "console", &seven, 0), 0);
	net_run(&n);
	CHECK_EQUAL(n.result[3][0], 0);
	CHECK_EQUAL(names_lookup(&n.core[1].names, "console", &v, &owner, 1), -EINPROGRESS);
	net_run(&n);
	CHECK_EQUAL(n.result[1][1], 0);
	lines = n.lines;
	CHECK_EQUAL(names_lookup(&n.core[1].names, "console", &v, &owner, 1), 0);
	CHECK_EQUAL(v.word[0], 7);
	CHECK_EQUAL(owner, 3);
	CHECK_EQUAL(names_lookup(&n.core[1].names, "nothing", &v, &owner, 1), -ENOENT);
	net_run(&n);
	CHECK_EQUAL(n.lines, lines);
	net_end(&n);
}

TEST(a_name_that_is_taken_is_eexist)
{
	net_start(&n, 3, 3, AGREE_TREE);
	names_register(&n.core[1].names, "net", &seven, 0);
	net_run(&n);
	names_register(&n.core[2].names, "net", &seven, 0);
	net_run(&n);
	CHECK_EQUAL(n.result[2][0], -EEXIST);
	names_unregister(&n.core[2].names, "net", 1);
	net_run(&n);
	CHECK_EQUAL(n.result[2][1], -EPERM);
	names_unregister(&n.core[1].names, "net", 1);
	net_run(&n);
	CHECK_EQUAL(n.result[1][1], 0);
	names_register(&n.core[2].names, "net", &seven, 2);
	net_run(&n);
	CHECK_EQUAL(n.result[2][2], 0);
	net_end(&n);
}

TEST(names_go_with_the_core_that_registered_them_and_no_others)
{
	struct name_value v;
	u32 owner;

	net_start(&n, 4, 4, AGREE_TREE);
	names_register(&n.core[0].names, "root", &seven, 0);
	names_register(&n.core[1].names, "one", &seven, 0);
	names_register(&n.core[2].names, "two", &seven, 0);
	net_run(&n);
	net_kill(&n, 0);
	agree_fenced(n.core[1].agree, 0);
	net_pass(&n, NET_SECOND);
	CHECK_EQUAL(names_lookup(&n.core[1].names, "two", &v, &owner, 1), 0);
	CHECK_EQUAL(names_lookup(&n.core[2].names, "one", &v, &owner, 1), 0);
	CHECK_EQUAL(names_lookup(&n.core[2].names, "root", &v, &owner, 1), -ENOENT);
	net_end(&n);
}

TEST(a_directory_that_died_is_made_anew)
{
	net_start(&n, 3, 3, AGREE_TREE);
	names_register(&n.core[0].names, "root", &seven, 0);
	net_run(&n);
	net_kill(&n, 0);
	agree_fenced(n.core[2].agree, 0);
	net_pass(&n, NET_SECOND);
	CHECK_EQUAL(names_register(&n.core[2].names, "new", &seven, 0), 0);
	net_pass(&n, 3 * NET_SECOND);
	CHECK_EQUAL(n.result[2][0], 0);
	net_end(&n);
}

TEST(a_name_that_is_empty_or_too_long_is_refused)
{
	char text[NAME_MAX_BYTES + 1];

	net_start(&n, 2, 2, AGREE_TREE);
	memset(text, 'x', NAME_MAX_BYTES);
	text[NAME_MAX_BYTES] = 0;
	CHECK_EQUAL(names_register(&n.core[0].names, "", &seven, 0), -EINVAL);
	CHECK_EQUAL(names_register(&n.core[0].names, text, &seven, 0), -EINVAL);
	net_end(&n);
}

/* Memory. Core c is born with grains 4c to 4c + 3; sockets of two cores. */

static u64 all_of(bool free, bool retired)
{
	u64 all = 0;

	for (u32 core = 0; core < n.ncores; core++) {
		const struct net_core *c = &n.core[core];
		u64 some = (free ? c->free : 0) | (retired ? c->retired : 0);

		if (c->dead)
			continue;
		CHECK_EQUAL(all & some, 0);
		CHECK_EQUAL(c->free & c->retired, 0);
		all |= some;
	}
	return all;
}

static u64 all_free(void)
{
	return all_of(true, false);
}

/* With what is retired. */
static u64 all_owned(void)
{
	return all_of(true, true);
}

TEST(memory_is_borrowed_from_the_nearest_core)
{
	net_start(&n, 6, 2, AGREE_TREE);
	CHECK_EQUAL(memown_borrow(&n.core[3].memown, 2 * MEMOWN_GRAIN, 0), 0);
	net_run(&n);
	CHECK_EQUAL(n.result[3][0], 0);
	CHECK_EQUAL(__builtin_popcountl(n.core[3].free), 6);
	CHECK_EQUAL(__builtin_popcountl(n.core[2].free), 2); /* of the same socket */
	CHECK_EQUAL(all_free(), 0xffffff);
	net_end(&n);
}

TEST(memory_can_be_given_back)
{
	net_start(&n, 4, 2, AGREE_TREE);
	memown_borrow(&n.core[1].memown, MEMOWN_GRAIN, 0);
	net_run(&n);
	CHECK(n.core[1].free & 1);
	n.core[1].free &= ~1ul;
	CHECK_EQUAL(memown_owner(&n.core[1].memown, 0), 1);
	CHECK_EQUAL(memown_return(&n.core[1].memown, 0, MEMOWN_GRAIN, 1), 0);
	net_run(&n);
	CHECK_EQUAL(n.result[1][1], 0);
	CHECK_EQUAL(memown_owner(&n.core[0].memown, 0), 0);
	CHECK_EQUAL(all_free(), 0xffff);
	net_end(&n);
}

TEST(running_out_of_memory_is_enomem)
{
	net_start(&n, 4, 2, AGREE_TREE);
	memown_borrow(&n.core[1].memown, 5 * MEMOWN_GRAIN, 0); /* nobody has so much in one piece */
	net_run(&n);
	CHECK_EQUAL(n.result[1][0], -ENOMEM);
	for (u32 core = 0; core < 4; core++)
		n.core[core].free = 0;
	memown_borrow(&n.core[1].memown, MEMOWN_GRAIN, 1);
	net_run(&n);
	CHECK_EQUAL(n.result[1][1], -ENOMEM);
	net_end(&n);
}

TEST(memory_of_a_dead_core_is_inherited_once)
{
	for (u32 steps = 0; steps < 40; steps++) {
		net_start(&n, 4, 2, AGREE_TREE);
		memown_borrow(&n.core[1].memown, MEMOWN_GRAIN, 0);
		for (u32 i = 0; i < steps; i++)
			net_step(&n);
		net_kill(&n, steps & 1);
		agree_fenced(n.core[3].agree, steps & 1);
		net_pass(&n, 3 * NET_SECOND);
		CHECK_EQUAL(all_owned(), 0xffff);
		net_end(&n);
	}
}

TEST(revoked_memory_is_unmapped_on_the_cores_that_map_it_and_only_there)
{
	u64 unmaps;

	net_start(&n, 6, 2, AGREE_TREE);
	n.core[0].free = 0;
	for (u32 core = 2; core < 5; core++) {
		CHECK_EQUAL(memown_map(&n.core[core].memown, 0, PAGE_SIZE, PAGE_SIZE, 0), 0);
		net_run(&n);
		CHECK_EQUAL(n.result[core][0], 0);
		n.core[core].mapped = 1;
	}
	CHECK_EQUAL(memown_revoke(&n.core[0].memown, 0, MEMOWN_GRAIN, 1), 0);
	net_run(&n);
	CHECK_EQUAL(n.result[0][1], 0);
	for (u32 core = 0; core < 6; core++)
		CHECK_EQUAL(n.core[core].mapped, 0);
	CHECK_EQUAL(agree_counts(n.core[1].agree)->received[MEMOWN_UNMAP - AGREE_MORE], 0);
	CHECK_EQUAL(agree_counts(n.core[5].agree)->received[MEMOWN_UNMAP - AGREE_MORE], 0);
	unmaps = net_sent(&n, NO_CORE, MEMOWN_UNMAP);
	CHECK_EQUAL(unmaps, 3);
	memown_revoke(&n.core[0].memown, 0, MEMOWN_GRAIN, 2); /* nobody maps it any more */
	net_run(&n);
	CHECK_EQUAL(n.result[0][2], 0);
	CHECK_EQUAL(net_sent(&n, NO_CORE, MEMOWN_UNMAP), unmaps);
	net_end(&n);
}

TEST(free_memory_and_memory_of_others_cannot_be_mapped)
{
	net_start(&n, 4, 2, AGREE_TREE);
	memown_map(&n.core[1].memown, 0, 0, PAGE_SIZE, 0); /* free */
	memown_map(&n.core[1].memown, 0, 3 * NET_GRAINS * MEMOWN_GRAIN, PAGE_SIZE, 1);
	net_run(&n);
	CHECK_EQUAL(n.result[1][0], -EPERM);
	CHECK_EQUAL(n.result[1][1], -EPERM);
	net_end(&n);
}

TEST(frames_of_a_dead_core_stay_mapped_and_are_not_handed_out)
{
	net_start(&n, 4, 2, AGREE_TREE);
	n.core[0].free = 0;
	memown_map(&n.core[3].memown, 0, 0, PAGE_SIZE, 0);
	net_run(&n);
	CHECK_EQUAL(n.result[3][0], 0);
	n.core[3].mapped = 1;
	net_kill(&n, 0);
	agree_fenced(n.core[2].agree, 0);
	net_pass(&n, 3 * NET_SECOND);
	CHECK_EQUAL(n.core[3].mapped, 1);
	CHECK_EQUAL(memown_drop(&n.core[3].memown, 0, 0, PAGE_SIZE), -ENOENT);
	CHECK_EQUAL(all_free(), 0xfff0);
	CHECK_EQUAL(all_owned(), 0xffff);
	net_end(&n);
}

TEST(an_heir_that_dies_before_it_inherits_is_noticed_and_replaced)
{
	u64 ledger = AGREE_ID(4, 2);

	net_start(&n, 6, 2, AGREE_TREE);
	net_kill(&n, 4);
	agree_fenced(n.core[0].agree, 4);
	while (!agree_epoch(n.core[0].agree))
		net_step(&n);
	net_kill(&n, 5); /* the heir, of the same socket: it has not even heard of the view */
	CHECK_EQUAL(agree_share(n.core[3].agree, ledger, 0), 0);
	net_pass(&n, 60 * NET_SECOND);
	CHECK_EQUAL(n.result[3][0], 0);
	CHECK_EQUAL(n.fenced, 1);
	CHECK_EQUAL(all_owned(), 0xffffff);
	net_end(&n);
}
