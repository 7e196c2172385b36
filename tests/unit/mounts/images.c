/*
 * Images of namespaces that change at random, applied in another world: it is the same each time,
 * whatever is held there; with too little memory nothing changes; and the other world may become
 * the home.
 */
#include "changes.h"
#include "refs.h"

#include <errno.h>
#include <mounts/image.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unit.h>

#define TEXT_BYTES (1u << 16)
#define HELD       8u /* mounts that somebody uses in the other world */

/* --- From one world to the other --- */

/* Of another core, with nothing in it. */
static void world_begin_other(struct world *w)
{
	world_begin(w);
	mounts_ns_put(w->ns);
	w->ns = NULL;
	mounts_set_core(w->all, 1);
}

struct bytes {
	u8 *at;
	size_t len, room;
};

static void give_bytes_back(struct world *w, struct bytes *b)
{
	w->allocated -= b->room;
	free(b->at);
}

static int encode(struct world *w, struct mount_ns *const *list, u32 n, struct bytes *out)
{
	struct mounts_refs refs = world_refs(w);
	struct mounts_image *image;
	int err = mounts_image_take(list, n, &image);

	if (err)
		return err;
	err = mounts_image_encode(image, &refs, &out->at, &out->len, &out->room);
	mounts_image_free(image);
	return err;
}

static int apply(struct world *w, const struct bytes *in, struct mount_ns **list, u32 how)
{
	struct mounts_refs refs = world_refs(w);
	struct mounts_image *image;
	int err = mounts_image_decode(w->all, &refs, in->at, in->len, &image);

	if (err)
		return err;
	err = mounts_image_apply(w->all, image, list, how);
	mounts_image_free(image);
	return err;
}

static void check_same(const struct world *a, const struct mount_ns *in_a, const struct world *b,
		       const struct mount_ns *in_b)
{
	static char text_a[TEXT_BYTES], text_b[TEXT_BYTES];

	world_describe_ns(a, in_a, text_a, sizeof(text_a));
	world_describe_ns(b, in_b, text_b, sizeof(text_b));
	CHECK_STRING(text_a, text_b);
}

/* The same as apply(), first with too little memory. */
static void apply_carefully(struct world *w, const struct bytes *in, struct mount_ns **list, u32 n,
			    u32 how)
{
	static char before[TEXT_BYTES], after[TEXT_BYTES];
	int err;

	for (s64 memory = 0;; memory++) {
		world_describe(w, before, sizeof(before));
		w->fail_after = memory;
		err = apply(w, in, list, how);
		w->fail_after = -1;
		if (!err)
			return;
		CHECK_EQUAL(err, -ENOMEM);
		REQUIRE(memory < 100000);
		world_describe(w, after, sizeof(after));
		CHECK_STRING(before, after);
		for (u32 i = 0; i < n; i++)
			CHECK(!list[i] || list[i]->node.key);
	}
}

/* Namespaces of @r that are to be told of: those that have changed, and one that is new. */
static u32 choose_some(struct run *r, const struct world *other, struct mount_ns **list)
{
	struct mount_ns *ns, *new = r->ns[run_pick(r, RUN_NAMESPACES)];
	u32 n = 0;

	while ((ns = mounts_next_dirty(r->w.all)))
		list[n++] = ns;
	if (!mounts_ns_find(other->all, new->node.key)) {
		mounts_ns_watch(new, true);
		list[n++] = new;
	}
	return n;
}

/* Replicas of what is gone there go, too. */
static void drop_gone(const struct run *r, struct world *other)
{
	struct mount_ns *ns, *next;

	for (ns = mounts_ns_after(other->all, 0); ns; ns = next) {
		bool there = false;

		next = mounts_ns_after(other->all, ns->node.key);
		for (u32 i = 0; i < RUN_NAMESPACES; i++)
			there |= r->ns[i]->node.key == ns->node.key;
		if (!there)
			mounts_ns_put(ns);
	}
}

static void hold_some(struct run *r, struct world *other, struct mount **held)
{
	struct mount **slot = &held[run_pick(r, HELD)];
	struct mount_ns *ns =
		mounts_ns_find(other->all, r->ns[run_pick(r, RUN_NAMESPACES)]->node.key);

	if (*slot)
		mount_put(*slot);
	*slot = NULL;
	if (!ns || !ns->nmounts)
		return;
	*slot = ns->root;
	for (u32 n = run_pick(r, ns->nmounts); n; n--)
		*slot = mounts_next(*slot, ns->root);
	mount_get(*slot);
}

static void tell(struct run *r, struct world *other)
{
	struct mount_ns *list[RUN_NAMESPACES], *there[RUN_NAMESPACES];
	u32 n = choose_some(r, other, list);
	struct bytes bytes;

	if (!n)
		return;

	REQUIRE(!encode(&r->w, list, n, &bytes));
	for (u32 i = 0; i < n; i++)
		there[i] = mounts_ns_find(other->all, list[i]->node.key);
	if (run_pick(r, 8)) {
		REQUIRE(!apply(other, &bytes, there, 0));
	} else {
		apply_carefully(other, &bytes, there, n, 0);
	}
	for (u32 i = 0; i < n; i++) {
		CHECK(there[i]->far);
		check_same(&r->w, list[i], other, there[i]);
	}
	world_check(other);
	give_bytes_back(&r->w, &bytes);
}

TEST(a_namespace_is_the_same_wherever_its_image_is_applied)
{
	const char *steps = getenv("SKERRY_STEPS");
	u64 n = steps ? strtoul(steps, NULL, 0) : 6000;
	struct mount *held[HELD] = {0};
	struct world other;
	struct run r;

	run_begin(&r);
	world_begin_other(&other);
	for (u64 i = 0; i < n; i++) {
		struct change c;

		change_choose(&r, &c);
		r.done += !change_make(&r, &c);
		drop_gone(&r, &other);
		if (run_pick(&r, 4) == 0)
			tell(&r, &other);
		hold_some(&r, &other, held);
	}
	CHECK(r.done > n / 10);
	for (u32 i = 0; i < HELD; i++) {
		if (held[i])
			mount_put(held[i]);
	}
	for (struct mount_ns *ns; (ns = mounts_ns_after(other.all, 0));)
		mounts_ns_put(ns);
	world_end(&other);
	run_end(&r);
}

/* --- The home changes --- */

/* Everything of @from is @to's from now on; what is left there is a replica. */
static void hand_over(struct run *from, struct run *to)
{
	struct bytes there, back;

	REQUIRE(!encode(&from->w, from->ns, RUN_NAMESPACES, &there));
	apply_carefully(&to->w, &there, to->ns, RUN_NAMESPACES, IMAGE_HOME | IMAGE_RENUMBER);
	REQUIRE(!encode(&to->w, to->ns, RUN_NAMESPACES, &back));
	apply_carefully(&from->w, &back, from->ns, RUN_NAMESPACES, 0);
	for (u32 i = 0; i < RUN_NAMESPACES; i++) {
		CHECK(from->ns[i]->far && !to->ns[i]->far);
		check_same(&from->w, from->ns[i], &to->w, to->ns[i]);
	}
	world_check(&from->w);
	world_check(&to->w);
	give_bytes_back(&from->w, &there);
	give_bytes_back(&to->w, &back);
}

/* @r has only replicas: forget them, and be as one that has never had any. */
static void forget(struct run *r)
{
	for (u32 i = 0; i < RUN_NAMESPACES; i++) {
		mounts_ns_put(r->ns[i]);
		r->ns[i] = NULL;
	}
}

TEST(another_core_can_become_the_home_and_go_on)
{
	struct run a, b, *home = &a, *other = &b;

	run_begin(&a);
	run_begin(&b);
	forget(&b);
	b.w.ns_ids = 1ul << 40;
	mounts_set_core(b.w.all, 1);
	for (u32 i = 0; i < 60; i++) {
		struct run *was = home;

		for (u32 j = 0; j < 60; j++) {
			struct change c;

			change_choose(home, &c);
			home->done += !change_make(home, &c);
			world_check(&home->w);
		}
		for (u32 j = 0; j < RUN_NAMESPACES; j++) {
			struct mount_ns *there =
				mounts_ns_find(other->w.all, home->ns[j]->node.key);

			other->ns[j] = there;
		}
		drop_gone(home, &other->w);
		hand_over(home, other);
		home = other;
		other = was;
		if (i % 2)
			forget(other);
	}
	CHECK(home->done > 600);
	for (u32 i = 0; i < RUN_NAMESPACES; i++) {
		if (home->ns[i])
			mounts_ns_put(home->ns[i]);
		if (other->ns[i])
			mounts_ns_put(other->ns[i]);
	}
	world_end(&a.w);
	world_end(&b.w);
}

/* --- What no honest core sends --- */

TEST(broken_bytes_are_refused)
{
	struct mount_ns *list[RUN_NAMESPACES] = {0};
	struct world other;
	struct bytes bytes;
	struct run r;

	run_begin(&r);
	world_begin_other(&other);
	for (u32 i = 0; i < 300; i++) {
		struct change c;

		change_choose(&r, &c);
		change_make(&r, &c);
	}
	REQUIRE(!encode(&r.w, r.ns, RUN_NAMESPACES, &bytes));
	for (size_t len = 0; len < bytes.len; len++) {
		struct bytes shorter = {bytes.at, len, 0};

		CHECK(apply(&other, &shorter, list, 0) == -EBADMSG);
	}
	for (u32 i = 0; i < 20000; i++) {
		u32 at = run_pick(&r, (u32)bytes.len);
		u8 was = bytes.at[at];

		bytes.at[at] ^= (u8)(1u << run_pick(&r, 8));
		if (!apply(&other, &bytes, list, 0)) {
			world_check(&other);
			for (u32 j = 0; j < RUN_NAMESPACES; j++)
				mounts_ns_put(list[j]);
		}
		memset(list, 0, sizeof(list));
		bytes.at[at] = was;
	}
	give_bytes_back(&r.w, &bytes);
	world_end(&other);
	run_end(&r);
}
