/*
 * The cache of names: which inode a name in a directory is, or that there is none.
 *
 *   looked up -> positive <-> negative -> unhashed (name gone, somebody still holds it) -> freed
 *
 * A dentry holds its parent, so the unused ones (no reference) are leaves; they wait in order of
 * last use, and the oldest go when there are more than the instance's limit.
 *
 * A directory has one dentry at most (inode->folder), so that what is told of a name in it by
 * another core, which knows the directory's number, finds it.
 *
 * One core, one thread: no locks. A name's bytes are counted by reference, because after a rename
 * the replaced file, if open, still shows the name it had.
 *
 * Runs in: the personality, host tests.
 */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

struct dname {
	u32 refs;
	char bytes[];
};

/* What a name of @len bytes takes. */
static size_t dname_bytes(u32 len)
{
	return sizeof(struct dname) + len + 1;
}

static struct dname *dname_new(const char *bytes, u32 len)
{
	struct dname *name = malloc(dname_bytes(len));

	if (!name)
		return NULL;
	name->refs = 1;
	memcpy(name->bytes, bytes, len);
	name->bytes[len] = 0;
	return name;
}

/* @dentry takes over a reference to @name. */
static void set_name(struct dentry *dentry, struct dname *name, u32 len)
{
	dentry->name = name->bytes;
	dentry->len = (u16)len;
}

static struct dname *dname_of(const struct dentry *dentry)
{
	return container_of(dentry->name, struct dname, bytes);
}

/* Give the reference of @dentry to its name back. */
static void drop_name(struct dentry *dentry)
{
	struct dname *name = dname_of(dentry);

	if (--name->refs)
		return;
	dentry->sb->vfs->caches.name_bytes -= dname_bytes(dentry->len);
	free(name);
}

static inline u64 load(const char *at, u32 bytes)
{
	u64 word = 0;

	__builtin_memcpy(&word, at, bytes);
	return word;
}

/* A name of 1 to 7 bytes in one word: its first and its last bytes, which may be the same ones. */
static inline u64 short_name(const char *name, u32 len)
{
	if (len >= 4)
		return load(name, 4) | load(name + len - 4, 4) << 32;
	return (u8)name[0] | (u64)(u8)name[len / 2] << 8 | (u64)(u8)name[len - 1] << 16;
}

/* Longer ones are taken word by word, and the last word may overlap the one before. */
static inline u32 hash_name(const struct dentry *parent, const char *name, u32 len)
{
	u64 h = ((u64)(uintptr_t)parent + len) * 0x9e3779b97f4a7c15ul;

	if (len < 8)
		return (u32)(((h ^ short_name(name, len)) * 0x9fb21c651e98df25ul) >> 32);
	for (u32 at = 0; at + 8 < len; at += 8) {
		h = (h ^ load(name + at, 8)) * 0x9fb21c651e98df25ul;
		h ^= h >> 32;
	}
	return (u32)(((h ^ load(name + len - 8, 8)) * 0x9fb21c651e98df25ul) >> 32);
}

static inline bool same_name(const char *a, const char *b, u32 len)
{
	if (len < 8)
		return short_name(a, len) == short_name(b, len);
	for (u32 at = 0; at + 8 < len; at += 8) {
		if (load(a + at, 8) != load(b + at, 8))
			return false;
	}
	return load(a + len - 8, 8) == load(b + len - 8, 8);
}

static struct dentry **bucket(struct vfs *vfs, u32 hash)
{
	return &vfs->hash[hash & (VFS_HASH_BUCKETS - 1)];
}

static void hash_in(struct dentry *dentry)
{
	struct dentry **b;

	dentry->hash = hash_name(dentry->parent, dentry->name, dentry->len);
	b = bucket(dentry->sb->vfs, dentry->hash);
	dentry->hash_next = *b;
	*b = dentry;
	dentry->hashed = true;
}

static void hash_out(struct dentry *dentry)
{
	struct dentry **at = bucket(dentry->sb->vfs, dentry->hash);

	if (!dentry->hashed)
		return;
	while (*at != dentry)
		at = &(*at)->hash_next;
	*at = dentry->hash_next;
	dentry->hashed = false;
}

static void lru_out(struct vfs *vfs, struct dentry *dentry)
{
	if (dentry->lru_next)
		dentry->lru_next->lru_prev = dentry->lru_prev;
	else
		vfs->lru_last = dentry->lru_prev;
	if (dentry->lru_prev)
		dentry->lru_prev->lru_next = dentry->lru_next;
	else
		vfs->lru_first = dentry->lru_next;
	vfs->nunused--;
}

static void lru_in(struct vfs *vfs, struct dentry *dentry)
{
	dentry->lru_next = NULL;
	dentry->lru_prev = vfs->lru_last;
	if (vfs->lru_last)
		vfs->lru_last->lru_next = dentry;
	else
		vfs->lru_first = dentry;
	vfs->lru_last = dentry;
	vfs->nunused++;
}

static void child_in(struct dentry *dentry)
{
	struct dentry *parent = dentry->parent;

	dentry->sibling_prev = NULL;
	dentry->sibling_next = parent->children;
	if (parent->children)
		parent->children->sibling_prev = dentry;
	parent->children = dentry;
}

static void child_out(struct dentry *dentry)
{
	if (dentry->sibling_next)
		dentry->sibling_next->sibling_prev = dentry->sibling_prev;
	if (dentry->sibling_prev)
		dentry->sibling_prev->sibling_next = dentry->sibling_next;
	else
		dentry->parent->children = dentry->sibling_next;
}

static struct dentry *alloc(struct superblock *sb, const char *bytes, u32 len)
{
	struct dentry *dentry = calloc(1, sizeof(*dentry));
	struct dname *name = dname_new(bytes, len);

	if (!dentry || !name) {
		free(dentry);
		free(name);
		return NULL;
	}
	set_name(dentry, name, len);
	sb->vfs->caches.ndentries++;
	sb->vfs->caches.name_bytes += dname_bytes(len);
	dentry->sb = sb;
	dentry->refs = 1;
	return dentry;
}

/* @dentry becomes the name of @inode, whose reference it takes; NULL: of nothing. */
static void set_inode(struct dentry *dentry, struct inode *inode)
{
	dentry->inode = inode;
	if (!inode)
		return;
	if (inode_is(inode, S_IFDIR))
		inode->folder = dentry;
	if (inode->ops->revalidate)
		dentry->check |= DENTRY_ASK_INODE;
}

/* ... and is it no longer; the reference goes. */
static void drop_inode(struct dentry *dentry)
{
	struct inode *inode = dentry->inode;

	if (!inode)
		return;
	if (inode_is(inode, S_IFDIR) && inode->folder == dentry)
		inode->folder = NULL;
	dentry->inode = NULL;
	dentry->check &= (u8)~DENTRY_ASK_INODE;
	inode_put(inode);
}

struct dentry *dentry_new_anon(struct superblock *sb, struct inode *inode, const char *name)
{
	struct dentry *dentry = alloc(sb, name, (u32)strlen(name));

	if (!dentry)
		return NULL;
	dentry->parent = dentry;
	set_inode(dentry, inode);
	return dentry;
}

struct dentry *dentry_new_numbered(struct superblock *sb, struct inode *inode, const char *kind,
				   u64 number)
{
	char name[48], *digit = name + sizeof(name);
	size_t len = strlen(kind);

	*--digit = 0;
	*--digit = ']';
	do {
		*--digit = (char)('0' + number % 10);
		number /= 10;
	} while (number);
	*--digit = '[';
	*--digit = ':';
	len = MIN(len, (size_t)(digit - name));
	digit -= len;
	memcpy(digit, kind, len);
	return dentry_new_anon(sb, inode, digit);
}

struct dentry *dentry_new_root(struct superblock *sb, struct inode *inode)
{
	return dentry_new_anon(sb, inode, "/");
}

/* Free a dentry nobody holds. Returns its parent, whose reference is now the caller's, or NULL. */
static struct dentry *free_one(struct dentry *dentry)
{
	struct dentry *parent = dentry->parent == dentry ? NULL : dentry->parent;

	hash_out(dentry);
	if (parent)
		child_out(dentry);
	drop_inode(dentry);
	drop_name(dentry);
	dentry->sb->vfs->caches.ndentries--;
	free(dentry);
	return parent;
}

/* Nobody holds @dentry: what is unhashed goes at once, and then perhaps its parents. */
static void release(struct dentry *dentry)
{
	do {
		if (dentry->hashed) {
			lru_in(dentry->sb->vfs, dentry);
			return;
		}
		dentry = free_one(dentry);
	} while (dentry && --dentry->refs == 0);
}

static void drop_unused(struct vfs *vfs, struct dentry *dentry)
{
	struct dentry *parent;

	lru_out(vfs, dentry);
	parent = free_one(dentry);
	if (parent && --parent->refs == 0)
		release(parent);
}

void dentry_used(struct dentry *dentry)
{
	lru_out(dentry->sb->vfs, dentry);
}

void dentry_unused(struct dentry *dentry)
{
	struct vfs *vfs = dentry->sb->vfs;

	release(dentry);
	while (vfs->nunused > vfs->max_unused)
		drop_unused(vfs, vfs->lru_first);
}

struct dentry *dentry_peek(struct dentry *parent, const char *name, u32 len)
{
	u32 hash = hash_name(parent, name, len);

	for (struct dentry *d = *bucket(parent->sb->vfs, hash); d; d = d->hash_next) {
		if (d->hash == hash && d->parent == parent && d->len == len &&
		    same_name(d->name, name, len))
			return d;
	}
	return NULL;
}

struct dentry *dentry_find(struct dentry *parent, const char *name, u32 len)
{
	struct dentry *dentry = dentry_peek(parent, name, len);

	return dentry ? dentry_get(dentry) : NULL;
}

static bool still_true(struct vfs_task *t, struct dentry *dentry)
{
	struct inode *dir = dentry->parent->inode, *inode = dentry->inode;

	if (dentry->check & DENTRY_ASK_DIR &&
	    (!dir->ops->recheck || !dir->ops->recheck(t, dir, dentry)))
		return false;
	return !(dentry->check & DENTRY_ASK_INODE) || inode->ops->revalidate(t, dentry);
}

/*
 * The folder @inode, whose reference is taken, has a dentry already, at a name that it had before:
 * that takes the place of @dentry, a new one. -ESTALE: it would be below itself.
 */
static int bring_here(struct inode *inode, struct dentry *dentry, struct dentry **out)
{
	struct dentry *folder = dentry_get(inode->folder);
	int err = dentry_is_below(dentry->parent, folder) ? -ESTALE : 0;
	inode_put(inode);
	if (!err) {
		dentry_move(folder, dentry, false);
		*out = folder;
	} else {
		dentry_put(folder);
	}
	dentry_put(dentry);
	return err;
}

static int look_up_new(struct vfs_task *t, struct dentry *parent, const char *name, u32 len,
		       struct dentry **out)
{
	struct inode *dir = parent->inode, *inode = NULL;
	struct dentry *dentry, *other;
	bool unsure;
	int err;

	if (len > VFS_NAME_MAX)
		return -ENAMETOOLONG;
	dentry = alloc(parent->sb, name, len);
	if (!dentry)
		return -ENOMEM;
	dentry->parent = dentry_get(parent);
	child_in(dentry);
	err = dir->ops->lookup ? dir->ops->lookup(t, dir, name, len, &inode) : -ENOTDIR;
	unsure = err == LOOKUP_UNSURE;
	if (err && err != -ENOENT && !unsure) {
		dentry_put(dentry);
		return err;
	}
	other = dentry_find(parent, name, len); /* by another fiber while the lookup blocked */
	if (other) {
		if (inode)
			inode_put(inode);
		dentry_put(dentry);
		*out = other;
		return 0;
	}
	dentry->check = unsure ? DENTRY_ASK_DIR : 0;
	if (inode && inode_is(inode, S_IFDIR) && inode->folder)
		return bring_here(inode, dentry, out);
	set_inode(dentry, inode);
	if (inode || (parent->sb->stable_dir_cache && dir->nlink && !unsure))
		hash_in(dentry);
	*out = dentry;
	return 0;
}

int dentry_lookup(struct vfs_task *t, struct dentry *parent, const char *name, u32 len,
		  struct dentry **out)
{
	struct dentry *dentry = dentry_find(parent, name, len);

	if (dentry && dentry->check && !still_true(t, dentry)) {
		hash_out(dentry);
		dentry_put(dentry);
		dentry = NULL;
	}
	if (!dentry)
		return look_up_new(t, parent, name, len, out);
	*out = dentry;
	return 0;
}

void dentry_instantiate(struct dentry *dentry, struct inode *inode)
{
	if (dentry->inode) { /* made and removed by somebody else meanwhile, and still held */
		inode_put(inode);
		dentry->check |= DENTRY_ASK_DIR;
		return;
	}
	set_inode(dentry, inode);
	if (dentry->hashed)
		return;
	/* Somebody else may have looked the name up while it was made, or before; and what another
	 * core said of the name meanwhile has not reached this dentry. */
	dentry_recall(dentry->parent, dentry->name, dentry->len);
	if (dentry->parent->inode->far || dentry->parent->inode->shared)
		dentry->check |= DENTRY_ASK_DIR;
	if (!dentry_peek(dentry->parent, dentry->name, dentry->len))
		hash_in(dentry);
}

/*
 * Free the unused children of @dentry, which the caller holds. Those that have children of their
 * own stay: nothing leads to them any more, so they grow old and go.
 */
static void drop_children(struct dentry *dentry)
{
	struct dentry *next;

	for (struct dentry *child = dentry->children; child; child = next) {
		next = child->sibling_next;
		if (child->refs == 0)
			drop_unused(dentry->sb->vfs, child);
	}
}

void dentry_unlink(struct dentry *dentry)
{
	mounts_dir_removed(dentry->sb->vfs->mounts, dentry);
	drop_children(dentry);
	if (!dentry->hashed) /* somebody else has looked the name up while it was removed */
		dentry_recall(dentry->parent, dentry->name, dentry->len);
	if (dentry->refs == 1 && dentry->sb->stable_dir_cache && dentry->hashed) {
		drop_inode(dentry);
		return;
	}
	hash_out(dentry);
}

/* Whether to ask the directory goes with the name, whether to ask the inode with the inode. */
static void swap_checks(struct dentry *a, struct dentry *b)
{
	u8 differ = (a->check ^ b->check) & DENTRY_ASK_DIR;

	a->check ^= differ;
	b->check ^= differ;
}

static void swap_places(struct dentry *a, struct dentry *b)
{
	struct dentry *parent = a->parent;
	const char *name = a->name;
	u16 len = a->len;

	a->parent = b->parent;
	a->name = b->name;
	a->len = b->len;
	b->parent = parent;
	b->name = name;
	b->len = len;
}

void dentry_move(struct dentry *dentry, struct dentry *target, bool exchange)
{
	struct mounts *all = dentry->sb->vfs->mounts;
	bool target_hashed = target->hashed;

	mounts_dir_moves(all, dentry, true);
	mounts_dir_moves(all, target, true);
	hash_out(dentry);
	hash_out(target);
	child_out(dentry);
	child_out(target);
	swap_checks(dentry, target);
	if (exchange) {
		swap_places(dentry, target);
	} else {
		struct dentry *old_parent = dentry->parent;

		drop_name(dentry);
		dentry->name = target->name;
		dentry->len = target->len;
		dname_of(dentry)->refs++;
		dentry->parent = dentry_get(target->parent);
		child_in(dentry);
		child_in(target);
		hash_in(dentry);
		mounts_dir_moves(all, dentry, false);
		mounts_dir_moves(all, target, false);
		mounts_dir_removed(all, target);
		dentry_put(old_parent);
		return;
	}
	child_in(dentry);
	child_in(target);
	hash_in(dentry);
	if (target_hashed)
		hash_in(target);
	mounts_dir_moves(all, dentry, false);
	mounts_dir_moves(all, target, false);
}

void dentry_forget(struct dentry *dir, const char *name, u32 len)
{
	struct dentry *dentry = dentry_find(dir, name, len);

	if (!dentry)
		return;
	drop_children(dentry);
	hash_out(dentry);
	dentry_put(dentry);
}

bool dentry_recall(struct dentry *dir, const char *name, u32 len)
{
	struct dentry *dentry = dentry_peek(dir, name, len);

	if (!dentry)
		return false;
	if (dentry->refs == 0) {
		drop_unused(dentry->sb->vfs, dentry);
		return false;
	}
	dentry->check |= DENTRY_ASK_DIR;
	return dentry->inode != NULL;
}

void dentry_recall_all(struct dentry *dir)
{
	struct dentry *next;

	for (struct dentry *child = dir->children; child; child = next) {
		next = child->sibling_next;
		if (child->refs == 0)
			drop_unused(dir->sb->vfs, child);
		else
			child->check |= DENTRY_ASK_DIR;
	}
}

int dentry_place(struct dentry *dentry, struct dentry *parent, const char *name, u32 len)
{
	struct dentry *place;

	if (dentry_is_below(parent, dentry))
		return -ESTALE;
	place = alloc(parent->sb, name, len);
	if (!place)
		return -ENOMEM;
	place->parent = dentry_get(parent);
	child_in(place);
	dentry_forget(parent, name, len);
	dentry_move(dentry, place, false);
	dentry_put(place);
	return 0;
}

void dentry_shrink(struct vfs *vfs, struct superblock *sb)
{
	struct dentry *next;

	/* Those above that become unused go to the end of the list, so one pass sees them too. */
	for (struct dentry *d = vfs->lru_first; d; d = next) {
		const struct dentry *prev = d->lru_prev;

		next = d->lru_next;
		if (sb && d->sb != sb)
			continue;
		drop_unused(vfs, d);
		if (!next)
			next = prev ? prev->lru_next : vfs->lru_first;
	}
}

bool dentry_is_below(const struct dentry *dentry, const struct dentry *above)
{
	while (dentry != above && dentry->parent != dentry)
		dentry = dentry->parent;
	return dentry == above;
}
