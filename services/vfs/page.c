/*
 * Maps from page numbers to pages: radix trees of 64 ways. See page.h.
 *
 * A node with children at level 0 holds pages. A tree is as high as its largest number needs;
 * nodes without children are freed at once.
 */
#include "internal.h"

#include <stdlib.h>

#define WAY_BITS 6u
#define WAYS     (1u << WAY_BITS)

struct page_node {
	void *child[WAYS]; /* struct page_node, at the lowest level struct page */
	u32 n;             /* children */
};

struct page *page_new(struct vfs *vfs)
{
	return vfs->env->page_new(vfs->arg);
}

void page_put(struct vfs *vfs, struct page *page)
{
	if (--page->refs == 0)
		vfs->env->page_free(vfs->arg, page);
}

static bool fits(const struct page_map *map, u64 index)
{
	return map->height * WAY_BITS >= 64 || index >> (map->height * WAY_BITS) == 0;
}

static u32 way(u64 index, u32 level)
{
	return (index >> (level * WAY_BITS)) & (WAYS - 1);
}

struct page *page_map_find(const struct page_map *map, u64 index)
{
	void *at = map->root;

	if (!fits(map, index))
		return NULL;
	for (u32 level = map->height; at && level > 0; level--)
		at = ((struct page_node *)at)->child[way(index, level - 1)];
	return at;
}

/* The node with the place of @index, NULL if there is none. */
static struct page_node *lowest_node(const struct page_map *map, u64 index)
{
	struct page_node *node = map->root;

	if (!fits(map, index))
		return NULL;
	for (u32 level = map->height; node && level > 1; level--)
		node = node->child[way(index, level - 1)];
	return node;
}

u32 page_map_find_some(const struct page_map *map, u64 index, u32 count, struct page **out)
{
	u32 found = 0, n;

	for (; count; count -= n, index += n, out += n) {
		struct page_node *node = lowest_node(map, index);

		n = MIN(count, WAYS - way(index, 0));
		for (u32 i = 0; i < n; i++) {
			out[i] = node ? node->child[way(index, 0) + i] : NULL;
			found += out[i] != NULL;
		}
	}
	return found;
}

static int grow(struct page_map *map, u64 index)
{
	while (!map->height || !fits(map, index)) {
		struct page_node *node = calloc(1, sizeof(*node));

		if (!node)
			return -ENOMEM;
		if (map->root) {
			node->child[0] = map->root;
			node->n = 1;
		}
		map->root = node;
		map->height++;
	}
	return 0;
}

/* Free the nodes on the way to @index that have no children. */
static void prune(struct page_map *map, u64 index)
{
	while (map->root) {
		struct page_node *node = map->root, *parent = NULL;
		u32 level = map->height - 1;

		while (level > 0 && node->child[way(index, level)]) {
			parent = node;
			node = node->child[way(index, level--)];
		}
		if (node->n)
			return;
		if (parent) {
			parent->child[way(index, level + 1)] = NULL;
			parent->n--;
		} else {
			map->root = NULL;
			map->height = 0;
		}
		free(node);
	}
}

int page_map_add(struct page_map *map, u64 index, struct page *page)
{
	struct page_node *node;

	if (grow(map, index))
		goto fail;
	node = map->root;
	for (u32 level = map->height - 1; level > 0; level--) {
		void **child = &node->child[way(index, level)];

		if (!*child) {
			*child = calloc(1, sizeof(*node));
			if (!*child)
				goto fail;
			node->n++;
		}
		node = *child;
	}
	node->child[way(index, 0)] = page;
	node->n++;
	map->npages++;
	return 0;

fail:
	if (map->root)
		prune(map, index);
	return -ENOMEM;
}

struct page *page_map_take(struct page_map *map, u64 index)
{
	struct page *page = page_map_find(map, index);
	struct page_node *node = map->root;

	if (!page)
		return NULL;
	for (u32 level = map->height - 1; level > 0; level--)
		node = node->child[way(index, level)];
	node->child[way(index, 0)] = NULL;
	node->n--;
	map->npages--;
	prune(map, index);
	return page;
}

/* The first page at or after *@index below @node, whose lowest number is @base. */
static struct page *next_below(const struct page_node *node, u32 level, u64 base, u64 *index)
{
	u32 first = *index > base ? (u32)((*index - base) >> (level * WAY_BITS)) : 0;

	for (u32 i = first; i < WAYS; i++) {
		u64 from = base + ((u64)i << (level * WAY_BITS));
		struct page *page = node->child[i];

		if (!page)
			continue;
		if (level == 0) {
			*index = from;
			return page;
		}
		page = next_below(node->child[i], level - 1, from, index);
		if (page)
			return page;
	}
	return NULL;
}

struct page *page_map_next(const struct page_map *map, u64 *index)
{
	if (!map->root || !fits(map, *index))
		return NULL;
	return next_below(map->root, map->height - 1, 0, index);
}

u64 page_map_hole(const struct page_map *map, u64 index)
{
	while (index < PAGE_MAP_MAX && page_map_find(map, index))
		index++;
	return index;
}
