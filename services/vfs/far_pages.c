/*
 * Pages of far files: the home lends them, and they are kept here until it wants them back (a file
 * that is cut, or gone). They are the home's memory: all cores see what one writes.
 *
 * Runs in: the personality, host tests.
 */
#include "far_internal.h"

#include <stdlib.h>
#include <string.h>

#define BATCH 16u /* pages asked for at once, when none is to be made */

/* --- Here --- */

void far_pages_drop(struct inode *inode, u64 first, u64 last)
{
	struct vfs *vfs = inode->sb->vfs;
	struct page_map *pages = &far_inode(inode)->pages;
	u64 index = first;

	if (inode->mapping)
		vfs->env->unmap(vfs->arg, inode, first, last);
	while (page_map_next(pages, &index) && index <= last)
		page_put(vfs, page_map_take(pages, index));
}

/* Keep what was lent, by @names; the bits of @which say for what pages from @index on. */
static int keep(struct inode *inode, u64 index, u64 which, const char *names)
{
	struct vfs *vfs = inode->sb->vfs;
	struct page_map *pages = &far_inode(inode)->pages;
	struct page *page;
	int err = 0;

	for (; which; which &= which - 1, names += VFS_PAGE_NAME) {
		u64 at = index + (u64)__builtin_ctzl(which);
		int lost = vfs->env->page_borrow(vfs->arg, names, &page);

		if (!lost && (page_map_find(pages, at) || page_map_add(pages, at, page))) {
			page_put(vfs, page);
			lost = page_map_find(pages, at) ? 0 : -ENOMEM;
		}
		err = err ? err : lost;
	}
	return err;
}

/* 0: the page is kept now, or it is a hole (*@hole). -EAGAIN: recalled meanwhile. */
static int borrow(struct inode *inode, u64 index, bool make, bool *hole)
{
	struct far_io args = {.file = far_node_of(inode),
			      .pos = (s64)index,
			      .len = make ? 1 : BATCH,
			      .flags = make};
	char names[BATCH * VFS_PAGE_NAME];
	u32 recalls = far_inode(inode)->recalls, got = 0;
	s64 which = far_node_ask(inode, FAR_PAGE, &args, sizeof(args), names, sizeof(names), &got);
	int err;

	if (which < 0)
		return far_error(which);
	if (which >> args.len || got != (u32)__builtin_popcountl((u64)which) * VFS_PAGE_NAME)
		return -EIO;
	err = keep(inode, index, (u64)which, names);
	if (recalls != far_inode(inode)->recalls) {
		far_pages_drop(inode, index, index + BATCH - 1);
		return -EAGAIN;
	}
	*hole = !(which & 1);
	return *hole ? 0 : err;
}

int far_page(struct inode *inode, u64 index, bool make, struct page **out)
{
	struct page_map *pages = &far_inode(inode)->pages;
	struct page *page;
	bool hole = false;
	int err = -EAGAIN;

	*out = NULL;
	if (!inode->sb->vfs->env->page_borrow)
		return -ENODEV;
	while (!(page = page_map_find(pages, index)) && err == -EAGAIN)
		err = borrow(inode, index, make, &hole);
	if (!page)
		page = page_map_find(pages, index);
	if (page)
		*out = page_get(page);
	return page ? 0 : err;
}

u32 far_pages(struct inode *inode, u64 index, u32 count, struct page **out)
{
	return page_map_find_some(&far_inode(inode)->pages, index, count, out);
}

s64 far_serve_page_recall(struct shard_request *r)
{
	const struct far_io *a = shard_args(r, sizeof(*a));
	const struct vfs *vfs = r->arg;
	const struct far_part *part = a ? far_part_find(vfs, a->file.sb) : NULL;
	struct far_known *known = part ? far_known_find(part, a->file.ino) : NULL;
	struct inode *inode;

	if (!known || far_home_of(known->ino) != r->core)
		return a ? 0 : -EBADMSG;
	inode = &container_of(known, struct far_inode, known)->inode;
	if (!inode_is(inode, S_IFREG))
		return -EBADMSG;
	far_inode(inode)->recalls++;
	far_pages_drop(inode, (u64)a->pos, a->len);
	return 0;
}

/* --- At the home --- */

/* Lend a page to who asks: its name goes to @name. */
static int lend(struct shard_request *r, struct inode *inode, struct page *page, void *name)
{
	const struct vfs *vfs = r->arg;
	struct far_share *share = far_share_find(inode);

	bit_set(share->lent, r->core);
	share->lendings++;
	return vfs->env->page_lend(vfs->arg, page, r->core, name);
}

static s64 lend_one(struct shard_request *r, struct inode *inode, u64 index, bool make)
{
	struct vfs *vfs = r->arg;
	char *name = shard_answer(r, VFS_PAGE_NAME);
	struct page *page;
	int err = name ? inode->ops->page(inode, index, make, &page) : -ENOMEM;

	if (!err && page) {
		err = lend(r, inode, page, name);
		page_put(vfs, page);
		if (!err)
			return 1;
	}
	shard_answer(r, 0);
	return err;
}

/* Pages that are there, from @index on. */
static s64 lend_some(struct shard_request *r, struct inode *inode, u64 index)
{
	struct page *pages[BATCH];
	char *names = shard_answer(r, BATCH * VFS_PAGE_NAME);
	u64 end = ROUND_UP(inode->size, PAGE_SIZE) / PAGE_SIZE;
	u32 count = (u32)MIN(BATCH, end - index), n = 0;
	s64 which = 0;

	if (!names)
		return -ENOMEM;
	inode->ops->pages(inode, index, count, pages);
	for (u32 i = 0; i < count; i++) {
		if (pages[i])
			page_get(pages[i]);
	}
	for (u32 i = 0; i < count; i++) {
		if (!pages[i])
			continue;
		if (!lend(r, inode, pages[i], names + n * VFS_PAGE_NAME)) {
			which |= 1l << i;
			n++;
		}
		page_put(r->arg, pages[i]);
	}
	shard_answer(r, n * VFS_PAGE_NAME);
	return which;
}

s64 far_serve_page(struct shard_request *r)
{
	const struct far_io *a = shard_args(r, sizeof(*a));
	struct vfs *vfs = r->arg;
	struct inode *inode = a ? vfs_own_inode(vfs, a->file.sb, a->file.ino) : NULL;
	s64 result;

	if (!inode)
		return a ? -ESTALE : -EBADMSG;
	if (!inode_is(inode, S_IFREG) || !vfs->env->page_lend)
		result = -ENODEV;
	else if (!far_share_of(inode))
		result = -ENOMEM;
	else if (a->pos < 0 || (u64)a->pos >= ROUND_UP(inode->size, PAGE_SIZE) / PAGE_SIZE)
		result = -ERANGE;
	else if (a->flags)
		result = lend_one(r, inode, (u64)a->pos, true);
	else
		result = lend_some(r, inode, (u64)a->pos);
	inode_put(inode);
	return result;
}

/* Whoever borrows while others are told is told again. */
void far_pages_cut(struct inode *inode, u64 first, u64 last)
{
	struct far_share *share = far_share_find(inode);
	struct far_io args = {.file = far_node_of(inode), .pos = (s64)first, .len = last};
	u64 lendings;

	do {
		lendings = share->lendings;
		for (u32 c = bit_next(share->lent, 0); c < FAR_CORES;
		     c = bit_next(share->lent, c + 1))
			shard_call(far_net(inode), c, FAR_PAGES_RECALL, &args, sizeof(args), NULL,
				   0, NULL);
	} while (lendings != share->lendings);
}
