/*
 * The replicated map: see map.h.
 *
 * A map is small and of fixed size, so performing a change needs no memory.
 * Runs in: host tests; the monitor's self-test.
 */
#include <errno.h>

#include <agree/map.h>

struct map {
	struct agree_memory *memory;
	u64 value[MAP_SLOTS];
};

static void *map_create(void *ctx, u64 id, const void *arg)
{
	struct agree_memory *memory = ctx;
	struct map *map = memory->alloc(memory->ctx, sizeof(*map));

	(void)id;
	(void)arg;
	if (map)
		map->memory = memory;
	return map;
}

static void map_destroy(void *state)
{
	struct map *map = state;

	map->memory->free(map->memory->ctx, map, sizeof(*map));
}

static int map_check(const void *state, const struct agree_op *op)
{
	const struct map *map = state;
	struct map_op m;

	if (op->len != sizeof(m))
		return -EINVAL;
	memcpy(&m, op->data, sizeof(m));
	if (m.key >= MAP_SLOTS)
		return -EINVAL;
	return (m.flags & MAP_IF_EQUAL) && map->value[m.key] != m.expect ? -EDOM : 0;
}

static void map_perform(void *state, const struct agree_op *op)
{
	struct map *map = state;
	struct map_op m;

	if (op->len != sizeof(m))
		return;
	memcpy(&m, op->data, sizeof(m));
	if (m.key < MAP_SLOTS)
		map->value[m.key] = m.value;
}

/* Records of two words, key and value, for the keys that have one. */
static u32 map_snapshot(const void *state, u64 *cursor, void *buf, u32 cap)
{
	const struct map *map = state;
	u32 len = 0;

	for (; *cursor < MAP_SLOTS && len + 2 * sizeof(u64) <= cap; (*cursor)++) {
		u64 record[2] = {*cursor, map->value[*cursor]};

		if (!record[1])
			continue;
		memcpy((u8 *)buf + len, record, sizeof(record));
		len += sizeof(record);
	}
	return len;
}

static int map_install(void *state, const void *record, u32 len)
{
	struct map *map = state;
	u64 r[2];

	if (len % sizeof(r))
		return -EINVAL;
	for (u32 at = 0; at < len; at += sizeof(r)) {
		memcpy(r, (const u8 *)record + at, sizeof(r));
		if (r[0] >= MAP_SLOTS)
			return -EINVAL;
		map->value[r[0]] = r[1];
	}
	return 0;
}

u64 map_get(const void *map, u32 key)
{
	return key < MAP_SLOTS ? ((const struct map *)map)->value[key] : 0;
}

const struct agree_type map_type = {
	.name = "map",
	.create = map_create,
	.destroy = map_destroy,
	.check = map_check,
	.perform = map_perform,
	.snapshot = map_snapshot,
	.install = map_install,
};
