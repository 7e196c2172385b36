/*
 * Directories of tmpfs: entries in a hash table by name, and in a list by age for getdents.
 *
 * A position of getdents is an entry's cookie, which never changes, so that names made or removed
 * meanwhile do not make others appear twice or not at all.
 *
 * Runs in: the personality, host tests.
 */
#include "far_internal.h"
#include "tmpfs.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#define ENTRY_SIZE   20u /* what a name counts in a directory's st_size, as in Linux */
#define FIRST_COOKIE 2u  /* 0 is ".", 1 is ".." */

static u32 hash_name(const char *name, u32 len)
{
	u32 h = 2166136261u; /* FNV-1a */

	for (u32 i = 0; i < len; i++)
		h = (h ^ (u8)name[i]) * 16777619u;
	return h;
}

void tmpfs_dir_init(struct tmpfs_inode *dir, struct tmpfs_inode *parent)
{
	dir->dir.parent = parent;
	dir->dir.parent_ino = parent->inode.ino;
	dir->dir.next_cookie = FIRST_COOKIE;
	dir->inode.size = 2 * ENTRY_SIZE;
}

static struct tmpfs_entry **find(const struct tmpfs_dir *dir, const char *name, u32 len)
{
	u32 hash = hash_name(name, len);
	struct tmpfs_entry **at;

	if (!dir->hash)
		return NULL;
	for (at = &dir->hash[hash & (dir->nbuckets - 1)]; *at; at = &(*at)->hash_next) {
		if ((*at)->hash == hash && (*at)->len == len && !memcmp((*at)->name, name, len))
			return at;
	}
	return NULL;
}

/* Make the table large enough for one more entry. 0 or -ENOMEM. */
static int grow(struct tmpfs_dir *dir)
{
	u32 nbuckets = dir->hash ? dir->nbuckets * 2 : 4;
	struct tmpfs_entry **hash;

	if (dir->hash && dir->n < dir->nbuckets)
		return 0;
	hash = calloc(nbuckets, sizeof(*hash));
	if (!hash)
		return dir->hash ? 0 : -ENOMEM; /* a full table works, slowly */
	for (struct tmpfs_entry *e = dir->first; e; e = e->next) {
		e->hash_next = hash[e->hash & (nbuckets - 1)];
		hash[e->hash & (nbuckets - 1)] = e;
	}
	free(dir->hash);
	dir->hash = hash;
	dir->nbuckets = nbuckets;
	return 0;
}

/* A new entry in @dir for @inode, whose reference it takes on success. */
static int add(struct tmpfs_inode *dir, const char *name, u32 len, struct inode *inode)
{
	struct tmpfs_dir *d = &dir->dir;
	struct tmpfs_entry *e = malloc(sizeof(*e) + len), **bucket;

	if (!e || grow(d)) {
		free(e);
		return -ENOMEM;
	}
	e->inode = inode;
	e->cookie = d->next_cookie++;
	e->hash = hash_name(name, len);
	e->len = (u8)len;
	memcpy(e->name, name, len);
	bucket = &d->hash[e->hash & (d->nbuckets - 1)];
	e->hash_next = *bucket;
	*bucket = e;
	e->next = NULL;
	e->prev = d->last;
	if (d->last)
		d->last->next = e;
	else
		d->first = e;
	d->last = e;
	d->n++;
	dir->inode.size += ENTRY_SIZE;
	inode_touch(&dir->inode, ATTR_MTIME | ATTR_CTIME);
	return 0;
}

/* Take an entry out; its reference to the inode becomes the caller's. */
static struct inode *take(struct tmpfs_inode *dir, struct tmpfs_entry **at)
{
	struct tmpfs_dir *d = &dir->dir;
	struct tmpfs_entry *e = *at;
	struct inode *inode = e->inode;

	*at = e->hash_next;
	if (e->next)
		e->next->prev = e->prev;
	else
		d->last = e->prev;
	if (e->prev)
		e->prev->next = e->next;
	else
		d->first = e->next;
	if (d->cursor == e)
		d->cursor = e->next;
	d->n--;
	free(e);
	dir->inode.size -= ENTRY_SIZE;
	inode_touch(&dir->inode, ATTR_MTIME | ATTR_CTIME);
	return inode;
}

/*
 * Free all below @dir, which nothing leads to any more. Directories below are emptied before they
 * are let go, bottom up, without recursion: however deep they are.
 */
void tmpfs_dir_fini(struct tmpfs_inode *dir)
{
	struct tmpfs_inode *at = dir;

	for (;;) {
		struct tmpfs_entry *e = at->dir.first;
		struct tmpfs_inode *below;

		if (!e && at == dir)
			break;
		if (!e) { /* go up; the parent's first entry is this directory */
			at = at->dir.parent;
			e = at->dir.first;
		}
		below = inode_is(e->inode, S_IFDIR) && !e->inode->far ? tmpfs_inode(e->inode)
								      : NULL;
		if (below && below->dir.first) {
			below->dir.parent = at;
			at = below;
			continue;
		}
		inode_put(take(at, find(&at->dir, e->name, e->len)));
	}
	free(dir->dir.hash);
	dir->dir.hash = NULL;
}

/* --- Operations --- */

int tmpfs_lookup(struct vfs_task *t, struct inode *dir, const char *name, u32 len,
		 struct inode **out)
{
	struct tmpfs_entry **at = find(&tmpfs_inode(dir)->dir, name, len);

	(void)t;
	if (!at)
		return -ENOENT;
	*out = inode_get((*at)->inode);
	return 0;
}

struct inode *tmpfs_dir_find(const struct inode *dir, const char *name, u32 len)
{
	struct tmpfs_entry **at = find(&tmpfs_inode((struct inode *)dir)->dir, name, len);

	return at ? (*at)->inode : NULL;
}

int tmpfs_make(struct vfs_task *t, struct inode *dir, const char *name, u32 len,
	       const struct new_node *node, struct inode **out)
{
	struct inode *inode;
	int err;

	(void)t;
	if (!dir->nlink)
		return -ENOENT;
	if (find(&tmpfs_inode(dir)->dir, name, len))
		return -EEXIST;
	err = tmpfs_make_inode(dir->sb, node, &inode);
	if (err)
		return err;
	err = add(tmpfs_inode(dir), name, len, inode);
	if (err) {
		inode_put(inode);
		return err;
	}
	if (inode_is(inode, S_IFDIR)) {
		tmpfs_dir_set_parent(inode, dir);
		inode->nlink = 2;
		dir->nlink++;
	}
	*out = inode_get(inode);
	return 0;
}

int tmpfs_make_nameless(struct vfs_task *t, struct inode *dir, const struct new_node *node,
			struct inode **out)
{
	int err = tmpfs_make_inode(dir->sb, node, out);

	(void)t;
	if (!err)
		(*out)->nlink = 0;
	return err;
}

/* A further name counts as an inode, as in Linux, so that names are limited too. */
int tmpfs_link(struct vfs_task *t, struct inode *dir, const char *name, u32 len,
	       struct inode *inode)
{
	struct tmpfs *fs = tmpfs_of(dir);
	bool further = inode->nlink > 0;
	int err = further ? tmpfs_charge_inode(fs) : 0;

	(void)t;
	if (err)
		return err;
	err = add(tmpfs_inode(dir), name, len, inode);
	if (err) {
		if (further)
			tmpfs_uncharge_inode(fs);
		return err;
	}
	inode_get(inode);
	inode->nlink++;
	inode_touch(inode, ATTR_CTIME);
	return 0;
}

int tmpfs_dir_enter(struct inode *dir, const char *name, u32 len, struct inode *inode)
{
	int err = add(tmpfs_inode(dir), name, len, inode);

	if (err)
		return err;
	inode_get(inode);
	dir->nlink += inode_is(inode, S_IFDIR);
	return 0;
}

void tmpfs_dir_take(struct inode *dir, const char *name, u32 len)
{
	struct inode *inode = take(tmpfs_inode(dir), find(&tmpfs_inode(dir)->dir, name, len));

	dir->nlink -= inode_is(inode, S_IFDIR);
	inode_put(inode);
}

/* A name of @inode is gone: count its links, and give the name's reference back. */
static void drop_link(struct inode *dir, struct inode *inode)
{
	if (inode_is(inode, S_IFDIR))
		dir->nlink--;
	if (inode->far) {
		inode_put(inode);
		return;
	}
	if (inode_is(inode, S_IFDIR)) {
		inode->nlink = 0;
	} else {
		if (inode->nlink > 1)
			tmpfs_uncharge_inode(tmpfs_of(inode));
		inode->nlink--;
	}
	inode_touch(inode, ATTR_CTIME);
	inode_put(inode);
}

int tmpfs_unlink(struct vfs_task *t, struct inode *dir, const char *name, u32 len,
		 struct inode *inode)
{
	struct tmpfs_entry **at = find(&tmpfs_inode(dir)->dir, name, len);

	(void)t;
	if (!at || (*at)->inode != inode)
		return -ENOENT;
	take(tmpfs_inode(dir), at);
	drop_link(dir, inode);
	return 0;
}

int tmpfs_rmdir(struct vfs_task *t, struct inode *dir, const char *name, u32 len,
		struct inode *inode)
{
	return tmpfs_dir_is_empty(inode) ? tmpfs_unlink(t, dir, name, len, inode) : -ENOTEMPTY;
}

void tmpfs_dir_remove(struct tmpfs_inode *dir, const char *name, u32 len)
{
	struct tmpfs_entry **at = find(&dir->dir, name, len);

	if (at)
		drop_link(&dir->inode, take(dir, at));
}

u32 tmpfs_dir_name(const struct tmpfs_inode *dir, const struct inode *inode, char *name)
{
	for (const struct tmpfs_entry *e = dir->dir.first; e; e = e->next) {
		if (e->inode == inode) {
			memcpy(name, e->name, e->len);
			name[e->len] = 0;
			return e->len;
		}
	}
	return 0;
}

void tmpfs_dir_replace(struct inode *dir, const char *name, u32 len, struct inode *inode)
{
	struct tmpfs_entry *e = *find(&tmpfs_inode(dir)->dir, name, len);
	struct inode *old = e->inode;

	e->inode = inode_get(inode);
	dir->nlink += inode_is(inode, S_IFDIR);
	dir->nlink -= inode_is(old, S_IFDIR);
	inode_put(old);
	inode_touch(dir, ATTR_MTIME | ATTR_CTIME);
}

void tmpfs_dir_set_parent(struct inode *dir, struct inode *parent)
{
	tmpfs_inode(dir)->dir.parent = parent->far ? NULL : tmpfs_inode(parent);
	tmpfs_inode(dir)->dir.parent_ino = parent->ino;
}

void tmpfs_dir_set_far_parent(struct inode *dir, u64 ino)
{
	tmpfs_inode(dir)->dir.parent = NULL;
	tmpfs_inode(dir)->dir.parent_ino = ino;
}

/* The directory @inode went from @from to @to. */
static void change_parent(struct inode *inode, struct inode *from, struct inode *to)
{
	if (!inode_is(inode, S_IFDIR) || from == to)
		return;
	from->nlink--;
	to->nlink++;
	if (!inode->far)
		tmpfs_dir_set_parent(inode, to);
}

static int exchange(const struct rename_args *a)
{
	struct tmpfs_entry **old = find(&tmpfs_inode(a->olddir)->dir, a->oldname, a->oldlen);
	struct tmpfs_entry **new = find(&tmpfs_inode(a->newdir)->dir, a->newname, a->newlen);

	if (!old || !new)
		return -ENOENT;
	(*old)->inode = a->replaced;
	(*new)->inode = a->old;
	change_parent(a->old, a->olddir, a->newdir);
	change_parent(a->replaced, a->newdir, a->olddir);
	inode_touch(a->olddir, ATTR_MTIME | ATTR_CTIME);
	inode_touch(a->newdir, ATTR_MTIME | ATTR_CTIME);
	inode_touch(a->replaced, ATTR_CTIME);
	inode_touch(a->old, ATTR_CTIME);
	return 0;
}

int tmpfs_rename(struct vfs_task *t, const struct rename_args *a)
{
	struct tmpfs_inode *olddir = tmpfs_inode(a->olddir), *newdir = tmpfs_inode(a->newdir);
	struct inode *whiteout = NULL;
	struct tmpfs_entry **new;
	int err = 0;

	(void)t;
	if (a->exchange)
		return exchange(a);
	if (!find(&olddir->dir, a->oldname, a->oldlen))
		return -ENOENT;
	new = find(&newdir->dir, a->newname, a->newlen);
	if (new &&inode_is(a->replaced, S_IFDIR) && !a->replaced->far &&
	    !tmpfs_dir_is_empty(a->replaced))
		return -ENOTEMPTY;
	if (a->whiteout)
		err = tmpfs_make_inode(a->olddir->sb, a->whiteout, &whiteout);
	if (!err && !new)
		err = add(newdir, a->newname, a->newlen, a->old);
	if (err) {
		if (whiteout)
			inode_put(whiteout);
		return err;
	}
	if (new) {
		(*new)->inode = a->old;
		inode_touch(a->newdir, ATTR_MTIME | ATTR_CTIME);
	}
	if (whiteout) {
		(*find(&olddir->dir, a->oldname, a->oldlen))->inode = whiteout;
		inode_touch(a->olddir, ATTR_MTIME | ATTR_CTIME);
	} else {
		take(olddir, find(&olddir->dir, a->oldname, a->oldlen));
	}
	change_parent(a->old, a->olddir, a->newdir);
	if (new)
		drop_link(a->newdir, a->replaced);
	inode_touch(a->old, ATTR_CTIME);
	return 0;
}

/* In directories that are far, or that others know, and of far files: far_home.c. */

static int link_name(struct vfs_task *t, struct inode *dir, const char *name, u32 len,
		     struct inode *inode)
{
	if (inode->far)
		return far_home_link(t, dir, name, len, inode);
	return tmpfs_link(t, dir, name, len, inode);
}

static int rename_name(struct vfs_task *t, const struct rename_args *a)
{
	if (a->newdir->far || a->newdir->shared || (a->olddir->sb->part && rename_moves_dir(a)))
		return far_rename(t, a);
	return tmpfs_rename(t, a);
}

const struct inode_ops tmpfs_dir_inode_ops = {
	.lookup = tmpfs_lookup,
	.make = tmpfs_make,
	.link = link_name,
	.unlink = tmpfs_unlink,
	.rmdir = tmpfs_rmdir,
	.rename = rename_name,
	.tmpfile = tmpfs_make_nameless,
	.set_attr = tmpfs_set_attr,
	.evict = tmpfs_evict,
};

/* --- getdents --- */

/* The first entry at or after @cookie; NULL: none. */
static struct tmpfs_entry *entry_at(struct tmpfs_dir *dir, u64 cookie)
{
	struct tmpfs_entry *e = dir->cursor;

	if (!e || e->cookie < cookie || (e->prev && e->prev->cookie >= cookie))
		e = dir->first;
	while (e && e->cookie < cookie)
		e = e->next;
	return e;
}

static int give_names(struct vfs_task *t, struct file *file, struct dir_context *ctx)
{
	struct tmpfs_dir *dir = &tmpfs_inode(file->inode)->dir;
	struct tmpfs_entry *e;

	(void)t;
	if (ctx->pos == 0 && !dir_emit(ctx, ".", 1, file->inode->ino, DT_DIR, 1))
		return 0;
	if (ctx->pos == 1 && !dir_emit(ctx, "..", 2, dir->parent_ino, DT_DIR, FIRST_COOKIE))
		return 0;
	e = entry_at(dir, ctx->pos);
	while (e && dir_emit(ctx, e->name, e->len, e->inode->ino, (e->inode->mode & S_IFMT) >> 12,
			     e->cookie + 1))
		e = e->next;
	dir->cursor = e;
	return 0;
}

static s64 seek(struct vfs_task *t, struct file *file, s64 offset, u32 whence)
{
	(void)t;
	return whence > SEEK_CUR ? -EINVAL : file_seek_fixed(file, offset, whence, 0);
}

const struct file_ops tmpfs_dir_ops = {.readdir = give_names, .seek = seek, .fsync = fsync_nothing};
