/* See world.h. */
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unit.h>

static void *alloc(void *ctx, size_t bytes)
{
	struct world *w = ctx;

	if (!w->fail_after)
		return NULL;
	if (w->fail_after > 0)
		w->fail_after--;
	w->allocated += bytes;
	return calloc(1, bytes);
}

static void give_back(void *ctx, void *p, size_t bytes)
{
	struct world *w = ctx;

	w->allocated -= bytes;
	free(p);
}

static struct dentry *parent(void *ctx, const struct dentry *dir)
{
	(void)ctx;
	return dir->parent;
}

static void dir_get(void *ctx, struct dentry *dir)
{
	(void)ctx;
	dir->refs++;
}

static void dir_put(void *ctx, struct dentry *dir)
{
	(void)ctx;
	REQUIRE(dir->refs-- > 0);
}

static void get(void *ctx, struct superblock *sb, struct dentry *root, void *source)
{
	(void)ctx;
	(void)source;
	sb->mounts++;
	root->refs++;
}

static void put(void *ctx, struct superblock *sb, struct dentry *root, void *source)
{
	(void)ctx;
	(void)source;
	REQUIRE(sb->mounts-- > 0);
	REQUIRE(root->refs-- > 0);
}

static u64 new_ns_id(void *ctx)
{
	return ++((struct world *)ctx)->ns_ids;
}

static void owner_get(void *ctx, void *owner)
{
	(void)ctx;
	++*(u32 *)owner;
}

static void owner_put(void *ctx, void *owner)
{
	(void)ctx;
	REQUIRE((*(u32 *)owner)-- > 0);
}

static void ended(void *ctx, struct mount_ns *ns)
{
	struct world *w = ctx;

	if (w->ended)
		w->ended(w->arg, ns);
}

static void touched(void *ctx)
{
	struct world *w = ctx;

	if (w->touched)
		w->touched(w->arg);
}

static void make_fs(struct superblock *sb)
{
	static const u32 parents[WORLD_DIRS] = {0, ROOT, ROOT, A, A, B, A_C};

	for (u32 i = 0; i < WORLD_DIRS; i++) {
		sb->dir[i].sb = sb;
		sb->dir[i].parent = i ? &sb->dir[parents[i]] : NULL;
	}
}

void world_begin(struct world *w)
{
	const struct mounts_env env = {
		.alloc = alloc,
		.free = give_back,
		.dir_offset = offsetof(struct dentry, at),
		.parent = parent,
		.dir_get = dir_get,
		.dir_put = dir_put,
		.mount_get = get,
		.mount_put = put,
		.new_ns_id = new_ns_id,
		.owner_get = owner_get,
		.owner_put = owner_put,
		.ended = ended,
		.touched = touched,
		.ctx = w,
	};
	struct mount *root;

	memset(w, 0, sizeof(*w));
	w->fail_after = -1;
	for (u32 i = 0; i < WORLD_FILESYSTEMS; i++)
		make_fs(&w->fs[i]);
	w->all = mounts_create(&env, 1000);
	REQUIRE(w->all != NULL);
	root = mounts_new(w->all, &w->fs[0], &w->fs[0].dir[ROOT], NULL, 0);
	REQUIRE(root != NULL);
	w->ns = mounts_ns_new(root, &w->owners[0], false);
	REQUIRE(w->ns != NULL);
}

void world_end(struct world *w)
{
	if (w->ns)
		mounts_ns_put(w->ns);
	CHECK(!mounts_ns_after(w->all, 0));
	mounts_destroy(w->all);
	CHECK_EQUAL(w->allocated, 0);
	for (u32 i = 0; i < WORLD_FILESYSTEMS; i++) {
		CHECK_EQUAL(w->fs[i].mounts, 0);
		for (u32 j = 0; j < WORLD_DIRS; j++) {
			CHECK_EQUAL(w->fs[i].dir[j].refs, 0);
			CHECK(!w->fs[i].dir[j].at.first && !w->fs[i].dir[j].at.here);
		}
	}
	for (u32 i = 0; i < ARRAY_SIZE(w->owners); i++)
		CHECK_EQUAL(w->owners[i], 0);
}

/* --- What must hold --- */

static void check_children(const struct mount *mnt)
{
	const struct mount *prev = NULL;
	u32 n = 0;

	for (const struct mount *c = mnt->children; c; prev = c, c = c->next, n++) {
		CHECK(c->parent == mnt && c->prev == prev);
		CHECK(mounts_child(mnt, c->point) == c);
	}
	CHECK(mnt->last_child == prev);
	CHECK_EQUAL(mnt->nchildren, n);
}

static void check_group(const struct mount *mnt)
{
	const struct mount_group *g = mnt->group;
	const struct mount *m = mnt;
	bool listed = false;
	u32 n = 0;

	if (mnt->master) {
		CHECK(!g);
		for (m = mnt->master->slaves; m; m = m->slave_next)
			listed |= m == mnt;
		CHECK(listed);
	}
	if (!g)
		return;
	CHECK(m->ns && m->ns->far ? g->far : !g->far);
	do {
		CHECK(m->group == g && m->sb == mnt->sb && m->peer_next->peer_prev == m);
		m = m->peer_next;
		n++;
	} while (m != mnt);
	CHECK_EQUAL(n, g->nmembers);
}

static void check_dir(const struct dentry *dir)
{
	const struct dentry *prev = NULL;
	bool below = false;

	for (struct dentry *d = dir->at.first; d; prev = d, d = d->at.next) {
		CHECK(d->parent == dir && d->at.prev == prev);
		CHECK(d->at.first || d->at.here);
		below = true;
	}
	CHECK(below == (dir->at.first != NULL));
	for (const struct mount *m = dir->at.here; m; m = m->here_next)
		CHECK(m->point == dir);
	if (dir->parent && (dir->at.first || dir->at.here)) {
		const struct dentry *d = dir->parent->at.first;

		while (d && d != dir)
			d = d->at.next;
		CHECK(d == dir);
	}
}

static void check_ns(const struct mount_ns *ns)
{
	u32 n = 0;

	for (struct mount *m = ns->root; m; m = mounts_next(m, ns->root), n++) {
		CHECK(m->ns == ns && mounts_find(ns, m->node.key) == m);
		CHECK(m == ns->root ? !m->parent : m->parent->ns == ns);
		CHECK(!(m->flags & (MOUNT_LEAVING | MOUNT_CANDIDATE)));
		check_children(m);
		check_group(m);
	}
	CHECK_EQUAL(ns->nmounts, n);
	CHECK_EQUAL(ns->pending, 0);
	for (struct mount *m = mounts_after(ns, 0); m; m = mounts_after(ns, m->node.key))
		n--;
	CHECK_EQUAL(n, 0);
}

void world_check(struct world *w)
{
	struct mount_ns *ns;

	for (u64 id = 0; (ns = mounts_ns_after(w->all, id)); id = ns->node.key)
		check_ns(ns);
	for (u32 i = 0; i < WORLD_FILESYSTEMS; i++) {
		for (u32 j = 0; j < WORLD_DIRS; j++)
			check_dir(&w->fs[i].dir[j]);
	}
}

void world_describe(const struct world *w, char *buf, size_t size)
{
	struct mount_ns *ns;
	size_t at = 0;

	buf[0] = 0;
	for (u64 id = 0; (ns = mounts_ns_after(w->all, id)); id = ns->node.key) {
		for (struct mount *m = ns->root; m && at < size; m = mounts_next(m, ns->root)) {
			const struct mount_group *master = mount_master(m);

			at += (size_t)snprintf(buf + at, size - at, "%lu %lu %lu %p %p %x %u %u\n",
					       ns->node.key, m->node.key,
					       m->parent ? m->parent->node.key : 0, (void *)m->root,
					       (void *)m->point, m->flags,
					       m->group ? m->group->nmembers : 0,
					       master ? master->nmembers : 0);
		}
	}
}

static u32 number_of(const struct world *w, const struct dentry *dir)
{
	u32 fs = (u32)(dir->sb - w->fs);

	return fs * WORLD_DIRS + (u32)(dir - dir->sb->dir);
}

void world_describe_ns(const struct world *w, const struct mount_ns *ns, char *buf, size_t size)
{
	int n = snprintf(buf, size, "%lu %u %u %lu\n", ns->node.key, ns->anonymous, ns->nmounts,
			 ns->event);

	for (struct mount *m = ns->root; m && (size_t)n < size; m = mounts_next(m, ns->root)) {
		const struct mount_group *master = mount_master(m);

		n += snprintf(buf + n, size - (size_t)n, "%lu %u %lu %u %d %x %u %u\n", m->node.key,
			      m->id, m->parent ? m->parent->node.key : 0, number_of(w, m->root),
			      m->point ? (int)number_of(w, m->point) : -1, m->flags,
			      m->group ? m->group->id : 0, master ? master->id : 0);
	}
	REQUIRE((size_t)n < size);
}

/* --- Shorthands --- */

static struct mount *attach(struct mount *mnt, struct mount *parent, struct dentry *point)
{
	if (mounts_attach(mnt, parent, point, 0)) {
		mounts_drop(mnt);
		return NULL;
	}
	return mnt;
}

struct mount *world_mount(struct world *w, u32 fs, struct mount *parent, u32 dir)
{
	struct mount *mnt = mounts_new(w->all, &w->fs[fs], &w->fs[fs].dir[ROOT], NULL, 0);

	return mnt ? attach(mnt, parent, dir_at(parent, dir)) : NULL;
}

struct mount *world_bind(struct mount *from, u32 dir, struct mount *to, u32 to_dir)
{
	struct mount *copy;

	if (mounts_copy(from, dir_at(from, dir), COPY_RECURSIVE | COPY_NS_FILES, &copy))
		return NULL;
	return attach(copy, to, dir_at(to, to_dir));
}
