/*
 * Pages: 4 KiB of memory with a count of references, so that a file's page and its mappings are
 * one copy; and maps from a file's page numbers to them (radix trees).
 *
 * Pages are the personality's (struct vfs_env); whoever keeps a pointer holds a reference.
 *
 * Runs in: the personality, host tests.
 */
#ifndef VFS_PAGE_H
#define VFS_PAGE_H

#include <skerry/types.h>

struct vfs;

/* The personality may embed this as the first member of its own structure. */
struct page {
	void *data; /* its bytes, in this domain */
	u64 frame;  /* its physical address */
	u32 refs;
	u32 flags; /* the personality's */
};

/* A new page of zeros with one reference; NULL if there is none. */
struct page *page_new(struct vfs *vfs);

static inline struct page *page_get(struct page *page)
{
	page->refs++;
	return page;
}

/* Give a reference back; the last one frees the page. */
void page_put(struct vfs *vfs, struct page *page);

struct page_node;

/* Pages by number. All zero is an empty map. Holds one reference to each page. */
struct page_map {
	struct page_node *root;
	u32 height; /* levels of nodes; 0: none */
	u64 npages;
};

#define PAGE_MAP_MAX (1ul << 52) /* page numbers are below */

/* The page at @index, without a reference of its own; NULL if there is none. */
struct page *page_map_find(const struct page_map *map, u64 index);

/* The pages at @index and behind it, @count in all, without references; NULL where there is none.
 * Returns how many there are. */
u32 page_map_find_some(const struct page_map *map, u64 index, u32 count, struct page **out);

/* Put @page at the empty place @index; takes over a reference. 0 or -ENOMEM. */
int page_map_add(struct page_map *map, u64 index, struct page *page);

/* Take the page at @index away; its reference becomes the caller's. NULL if there is none. */
struct page *page_map_take(struct page_map *map, u64 index);

/* The first page at or after *@index, which is set to its number; NULL if there is none. */
struct page *page_map_next(const struct page_map *map, u64 *index);

/* The lowest number at or after @index that has no page. */
u64 page_map_hole(const struct page_map *map, u64 index);

#endif
