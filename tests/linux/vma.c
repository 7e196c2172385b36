/*
 * lib/vma against a model that keeps every page by itself: after random changes both describe the
 * same addresses, and the map is as short as can be.
 */
#include <errno.h>
#include <string.h>
#include <unit.h>
#include <vma/vma.h>

#define PAGES 256u

struct object {
	int refs;
};

static struct object objects[3];

static void get(void *object)
{
	((struct object *)object)->refs++;
}

static void put(void *object)
{
	((struct object *)object)->refs--;
}

static const struct vma_ops ops = {get, put};

/* What a page is; used 0: nothing. */
struct model_page {
	u32 used, prot, flags;
	u64 offset;
	struct object *object;
};

static struct model_page model[PAGES];

static u64 at(u64 page)
{
	return (page + 16) * PAGE_SIZE;
}

static bool same(const struct model_page *a, const struct model_page *b)
{
	return a->used && b->used && a->prot == b->prot && a->flags == b->flags &&
	       a->object == b->object && (!a->object || a->offset + PAGE_SIZE == b->offset);
}

static void compare(const struct vma_map *map)
{
	u32 ranges = 0;

	for (u32 i = 0; i < PAGES; i++) {
		const struct vma *v = vma_at(map, at(i));
		const struct model_page *m = &model[i];

		REQUIRE(!v == !m->used);
		if (!v)
			continue;
		REQUIRE(v->prot == m->prot && v->flags == m->flags && v->object == m->object);
		if (m->object)
			REQUIRE(v->offset + (at(i) - v->start) == m->offset);
		ranges += i == 0 || !same(&model[i - 1], m);
	}
	CHECK_EQUAL(map->count, ranges);
}

static void insert(struct vma_map *map, u32 first, u32 n, u64 random)
{
	struct object *object = random % 4 ? &objects[random % 3] : NULL;
	struct vma v = {
		.start = at(first),
		.end = at(first + n),
		.prot = random >> 8 & 3,
		.flags = random >> 16 & 1,
		.object = object,
		.offset = object ? at(first) : 0,
	};
	bool free = true;

	for (u32 i = first; i < first + n; i++)
		free = free && !model[i].used;
	CHECK_EQUAL(vma_insert(map, &v), free ? 0 : -EEXIST);
	for (u32 i = first; free && i < first + n; i++)
		model[i] = (struct model_page){1, v.prot, v.flags, object ? at(i) : 0, object};
}

TEST(random_changes_agree_with_the_model)
{
	u64 seed = 20260101;
	struct vma_map map;

	vma_map_init(&map, &ops);
	memset(model, 0, sizeof(model));
	for (u32 step = 0; step < 20000; step++) {
		u64 r = unit_random(&seed);
		u32 first = (u32)(r % PAGES), n = 1 + (u32)(r >> 32) % (PAGES - first);

		n = r >> 60 ? 1 + n % 16 : n;
		n = MIN(n, PAGES - first);
		if (r >> 20 & 1) {
			insert(&map, first, n, r >> 24);
		} else if (r >> 21 & 1) {
			CHECK_EQUAL(vma_remove(&map, at(first), at(first + n)), 0);
			memset(&model[first], 0, n * sizeof(*model));
		} else {
			CHECK_EQUAL(vma_change(&map, at(first), at(first + n), 5, ~0u, 2), 0);
			for (u32 i = first; i < first + n; i++) {
				model[i].prot = model[i].used ? 5 : 0;
				model[i].flags |= model[i].used ? 2 : 0;
			}
		}
		if (step % 16 == 0)
			compare(&map);
	}
	compare(&map);
	vma_map_fini(&map);
	for (u32 i = 0; i < 3; i++)
		CHECK_EQUAL(objects[i].refs, 0);
}

TEST(gaps_are_found_from_above_and_below)
{
	struct vma_map map;

	vma_map_init(&map, &ops);
	CHECK_EQUAL(vma_insert(&map, &(struct vma){.start = at(4), .end = at(6)}), 0);
	CHECK_EQUAL(vma_insert(&map, &(struct vma){.start = at(9), .end = at(10)}), 0);
	CHECK_EQUAL(vma_gap(&map, at(0), at(20), 3 * PAGE_SIZE, PAGE_SIZE, true), at(17));
	CHECK_EQUAL(vma_gap(&map, at(0), at(12), 3 * PAGE_SIZE, PAGE_SIZE, true), at(6));
	CHECK_EQUAL(vma_gap(&map, at(0), at(12), 3 * PAGE_SIZE, PAGE_SIZE, false), at(0));
	CHECK_EQUAL(vma_gap(&map, at(5), at(12), 3 * PAGE_SIZE, PAGE_SIZE, false), at(6));
	CHECK_EQUAL(vma_gap(&map, at(0), at(12), 5 * PAGE_SIZE, PAGE_SIZE, true), 0);
	vma_map_fini(&map);
}

TEST(below_a_range_that_grows_down_is_a_guard)
{
	u64 stack = 1024 * MiB;
	struct vma_map map;

	vma_map_init(&map, &ops);
	CHECK_EQUAL(vma_insert(&map, &(struct vma){.start = stack,
						   .end = stack + PAGE_SIZE,
						   .flags = VMA_GROWSDOWN}),
		    0);
	CHECK_EQUAL(vma_gap(&map, MiB, stack, PAGE_SIZE, PAGE_SIZE, true),
		    stack - VMA_GUARD - PAGE_SIZE);
	vma_map_fini(&map);
}

TEST(coverage_sees_holes)
{
	struct vma_map map;

	vma_map_init(&map, &ops);
	CHECK_EQUAL(vma_insert(&map, &(struct vma){.start = at(1), .end = at(3)}), 0);
	CHECK_EQUAL(vma_insert(&map, &(struct vma){.start = at(3), .end = at(4), .prot = 1}), 0);
	CHECK(vma_covers(&map, at(1), at(4)));
	CHECK(!vma_covers(&map, at(0), at(2)));
	CHECK(!vma_covers(&map, at(3), at(5)));
	CHECK_EQUAL(vma_insert(&map, &(struct vma){.start = at(3), .end = at(5)}), -EEXIST);
	CHECK_EQUAL(vma_insert(&map, &(struct vma){.start = at(5), .end = at(5)}), -EINVAL);
	vma_map_fini(&map);
}
