/* See handles.h: a hash table with chains, at most as many objects as buckets. */
#include <shard/handles.h>

#include <stdlib.h>

#define FIRST_BUCKETS 16u

static struct shard_handle **find(const struct shard_handles *table, u64 id)
{
	struct shard_handle **at = &table->bucket[id & (table->nbuckets - 1)];

	while (*at && (*at)->id != id)
		at = &(*at)->next;
	return at;
}

/* Twice as many buckets; without memory for them the chains just get longer. */
static void grow(struct shard_handles *table)
{
	struct shard_handles larger = *table;

	larger.nbuckets = table->nbuckets ? 2 * table->nbuckets : FIRST_BUCKETS;
	larger.bucket = calloc(larger.nbuckets, sizeof(struct shard_handle *));
	if (!larger.bucket)
		return;
	for (u32 b = 0; b < table->nbuckets; b++) {
		while (table->bucket[b]) {
			struct shard_handle *h = table->bucket[b];

			table->bucket[b] = h->next;
			h->next = NULL;
			*find(&larger, h->id) = h;
		}
	}
	free(table->bucket);
	*table = larger;
}

u64 shard_handle_new(struct shard_handles *table, void *object)
{
	struct shard_handle *h = malloc(sizeof(*h));

	if (table->count == table->nbuckets)
		grow(table);
	if (!h || !table->nbuckets) {
		free(h);
		return 0;
	}
	*h = (struct shard_handle){.id = ++table->last, .object = object};
	*find(table, h->id) = h;
	table->count++;
	return h->id;
}

void *shard_handle_get(const struct shard_handles *table, u64 id)
{
	const struct shard_handle *h = table->count ? *find(table, id) : NULL;

	return h ? h->object : NULL;
}

void *shard_handle_drop(struct shard_handles *table, u64 id)
{
	struct shard_handle **at, *h;
	void *object;

	if (!table->count)
		return NULL;
	at = find(table, id);
	h = *at;
	if (!h)
		return NULL;
	*at = h->next;
	object = h->object;
	free(h);
	table->count--;
	return object;
}

void *shard_handle_next(const struct shard_handles *table, u64 after, u64 *id)
{
	const struct shard_handle *best = NULL;

	for (u32 b = 0; b < table->nbuckets; b++) {
		for (const struct shard_handle *h = table->bucket[b]; h; h = h->next) {
			if (h->id > after && (!best || h->id < best->id))
				best = h;
		}
	}
	if (!best)
		return NULL;
	*id = best->id;
	return best->object;
}

void shard_handles_fini(struct shard_handles *table)
{
	for (u32 b = 0; b < table->nbuckets; b++) {
		while (table->bucket[b]) {
			struct shard_handle *h = table->bucket[b];

			table->bucket[b] = h->next;
			free(h);
		}
	}
	free(table->bucket);
	*table = (struct shard_handles){.last = table->last};
}
