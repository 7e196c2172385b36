/*
 * Images of namespaces: taking them, and making namespaces what they say. See image.h.
 *
 * Applying: everything that is new is made first; then what the image does not have leaves, all
 * else is taken up and put down again in the image's order.
 *
 * Groups. A replica's groups are far: their members here are those of the namespaces that are here.
 * At home all namespaces that have to do with a group are in the image, so groups are made anew.
 *
 * Runs in: the personality, host tests.
 */
#include "image_internal.h"

#include <errno.h>

/* --- Memory of an image --- */

struct mounts_image *image_new(struct mounts *all, u32 nspaces, u32 nmounts, u32 ngroups)
{
	const struct mounts_env *env = &all->env;
	size_t bytes = sizeof(struct mounts_image) + nspaces * sizeof(struct image_ns) +
		       nmounts * sizeof(struct image_mount) + ngroups * sizeof(struct image_group);
	struct mounts_image *image = env->alloc(env->ctx, bytes);

	if (!image)
		return NULL;
	image->all = all;
	image->bytes = bytes;
	image->nspaces = nspaces;
	image->nmounts = nmounts;
	image->ngroups = ngroups;
	image->space = (struct image_ns *)(image + 1);
	image->mount = (struct image_mount *)(image->space + nspaces);
	image->group = (struct image_group *)(image->mount + nmounts);
	return image;
}

/* What is not filled yet is NULL: mounts are filled in order, whole ones only. */
void mounts_image_free(struct mounts_image *image)
{
	const struct mounts_env *env = &image->all->env;

	for (u32 i = 0; i < image->nmounts; i++) {
		const struct image_mount *m = &image->mount[i];

		if (m->point)
			env->dir_put(env->ctx, m->point);
		if (m->sb)
			env->mount_put(env->ctx, m->sb, m->root, m->source);
	}
	for (u32 i = 0; i < image->nspaces; i++) {
		if (image->space[i].owner)
			env->owner_put(env->ctx, image->space[i].owner);
	}
	env->free(env->ctx, image, image->bytes);
}

u32 mounts_image_count(const struct mounts_image *image)
{
	return image->nspaces;
}

u64 mounts_image_id(const struct mounts_image *image, u32 i)
{
	return image->space[i].id;
}

void mounts_image_skip(struct mounts_image *image, u32 i)
{
	image->space[i].skipped = true;
}

/* --- Taking --- */

/* Number @group and those above it, masters first; @image NULL: only number them. */
static void take_group(struct mounts_image *image, struct mount_group *group, u32 *n)
{
	while (group && !group->slot) {
		struct mount_group *top = group;

		while (top->master && !top->master->slot)
			top = top->master;
		top->slot = ++*n;
		if (image)
			image->group[top->slot - 1] = (struct image_group){
				.id = top->id,
				.master = top->master ? top->master->slot : 0,
			};
	}
}

static void forget_group(struct mount_group *group)
{
	for (; group; group = group->master)
		group->slot = 0;
}

static void each_group(struct mount_ns *const *list, u32 n, struct mounts_image *image, u32 *count)
{
	*count = 0;
	for (u32 i = 0; i < n; i++) {
		for (struct mount *m = list[i]->root; m; m = mounts_next(m, list[i]->root)) {
			take_group(image, m->group, count);
			take_group(image, m->master, count);
		}
	}
}

static void forget_groups(struct mount_ns *const *list, u32 n)
{
	for (u32 i = 0; i < n; i++) {
		for (struct mount *m = list[i]->root; m; m = mounts_next(m, list[i]->root)) {
			forget_group(m->group);
			forget_group(m->master);
		}
	}
}

static void take_mount(struct mounts_image *image, struct mount *m, u32 at, u32 first)
{
	const struct mounts_env *env = &image->all->env;

	m->slot = at - first;
	image->mount[at] = (struct image_mount){
		.id = m->node.key,
		.small = m->id,
		.flags = m->flags,
		.parent = m->parent ? m->parent->slot : NO_SLOT,
		.group = m->group ? m->group->slot : 0,
		.master = m->master ? m->master->slot : 0,
		.sb = m->sb,
		.root = m->root,
		.point = m->point,
		.source = m->source,
	};
	env->mount_get(env->ctx, m->sb, m->root, m->source);
	if (m->point)
		env->dir_get(env->ctx, m->point);
}

static void take_ns(struct mounts_image *image, struct mount_ns *ns, u32 i, u32 *at)
{
	const struct mounts_env *env = &image->all->env;
	u32 first = *at;

	for (struct mount *m = ns->root; m; m = mounts_next(m, ns->root))
		take_mount(image, m, (*at)++, first);
	for (struct mount *m = ns->root; m; m = mounts_next(m, ns->root))
		m->slot = 0;
	image->space[i] = (struct image_ns){
		.id = mounts_ns_identify(ns),
		.event = ns->event,
		.origin = ns->origin,
		.inum = ns->inum,
		.anonymous = ns->anonymous,
		.owner = ns->owner,
		.first = first,
		.count = *at - first,
	};
	env->owner_get(env->ctx, ns->owner);
}

int mounts_image_take(struct mount_ns *const *list, u32 n, struct mounts_image **out)
{
	struct mounts *all = list[0]->all;
	struct mounts_image *image;
	u32 nmounts = 0, ngroups, at = 0;

	for (u32 i = 0; i < n; i++)
		nmounts += list[i]->nmounts;
	each_group(list, n, NULL, &ngroups);
	forget_groups(list, n);
	image = image_new(all, n, nmounts, ngroups);
	if (!image)
		return -ENOMEM;
	each_group(list, n, image, &ngroups);
	for (u32 i = 0; i < n; i++)
		take_ns(image, list[i], i, &at);
	forget_groups(list, n);
	*out = image;
	return 0;
}

/* --- Applying: making what is new --- */

struct applying {
	struct mounts *all;
	struct mounts_image *image;
	struct mount_ns **list;
	u32 how;
};

/* The mount of that identifier that is here: in its namespace, or in another of the image. */
static struct mount *find_here(const struct applying *a, u32 space, u64 id)
{
	struct mount *m = a->list[space] ? mounts_find(a->list[space], id) : NULL;

	for (u32 i = 0; !m && i < a->image->nspaces; i++)
		m = i != space && a->list[i] && !a->image->space[i].skipped
			    ? mounts_find(a->list[i], id)
			    : NULL;
	return m;
}

static int make_mount(const struct applying *a, struct image_mount *to, u32 space)
{
	to->made = NULL;
	to->here = find_here(a, space, to->id);
	/* What every core has made for itself before it knew others: it goes. */
	if (to->here && (to->here->sb != to->sb || to->here->root != to->root))
		to->here = NULL;
	/* Nobody else gives this core's small numbers. */
	if (is_own_small(a->all, to->small) && (!to->here || to->here->id != to->small))
		return -EBADMSG;
	if (to->here)
		return to->here->slot ? -EBADMSG : 0;
	to->made = mount_new_as(a->all, to->id, to->small, to->sb, to->root, to->source);
	to->here = to->made;
	return to->made ? 0 : -ENOMEM;
}

/* A small number of this core's for a mount or group that has another's. */
static int renumber(const struct applying *a, struct id_set *ids, u32 *small)
{
	u32 own;

	if (!(a->how & IMAGE_RENUMBER) || is_own_small(a->all, *small))
		return 0;
	own = small_take(a->all, ids);
	if (!own)
		return -ENOMEM;
	*small = own;
	return 0;
}

static int make_mounts(const struct applying *a)
{
	for (u32 i = 0; i < a->image->nspaces; i++) {
		const struct image_ns *ns = &a->image->space[i];

		for (u32 j = ns->skipped ? ns->first + ns->count : ns->first;
		     j < ns->first + ns->count; j++) {
			struct image_mount *m = &a->image->mount[j];
			int err = make_mount(a, m, i);

			if (!err) {
				m->here->slot = j + 1;
				m->old_small = m->small;
				err = renumber(a, &a->all->ids, &m->small);
			}
			if (err)
				return err;
		}
	}
	return 0;
}

static int make_groups(const struct applying *a)
{
	const struct mounts_env *env = &a->all->env;

	for (u32 i = 0; i < a->image->ngroups; i++) {
		struct image_group *g = &a->image->group[i];
		u32 id = g->id;
		int err;

		if (is_own_small(a->all, id))
			return -EBADMSG;
		if (!(a->how & IMAGE_HOME)) {
			g->here = group_far_get(a->all, id);
			if (!g->here)
				return -ENOMEM;
			continue;
		}
		g->here = env->alloc(env->ctx, sizeof(*g->here));
		if (!g->here)
			return -ENOMEM;
		g->here->id = id;
		err = renumber(a, &a->all->group_ids, &g->here->id);
		if (err)
			return err;
	}
	return 0;
}

static struct mount_ns *make_ns(const struct applying *a, const struct image_ns *ns)
{
	const struct mounts_env *env = &a->all->env;
	struct mount_ns *new = env->alloc(env->ctx, sizeof(*new));

	if (!new)
		return NULL;
	new->all = a->all;
	new->owner = ns->owner;
	env->owner_get(env->ctx, ns->owner);
	new->refs = 1;
	new->anonymous = ns->anonymous;
	new->inum = ns->inum;
	new->origin = ns->origin;
	new->node.key = ns->id;
	return new;
}

static int make_spaces(const struct applying *a)
{
	for (u32 i = 0; i < a->image->nspaces; i++)
		a->image->space[i].made = false;
	for (u32 i = 0; i < a->image->nspaces; i++) {
		struct image_ns *ns = &a->image->space[i];

		if (ns->skipped)
			continue;
		if (a->list[i] ? a->list[i]->node.key != ns->id
			       : order_find(a->all->namespaces, ns->id) != NULL)
			return -EBADMSG;
		ns->made = !a->list[i];
		if (ns->made)
			a->list[i] = make_ns(a, ns);
		if (!a->list[i])
			return -ENOMEM;
	}
	return 0;
}

/* Nothing has been placed: take back all that was made. */
static void unmake(const struct applying *a)
{
	const struct mounts_env *env = &a->all->env;
	struct mounts_image *image = a->image;

	for (u32 i = 0; i < image->nmounts; i++) {
		struct image_mount *m = &image->mount[i];

		if (m->small != m->old_small && m->old_small)
			small_give(a->all, &a->all->ids, m->small);
		m->small = m->old_small ? m->old_small : m->small;
		if (m->made)
			mount_unmake(m->made);
		else if (m->here)
			m->here->slot = 0;
	}
	for (u32 i = 0; i < image->ngroups; i++) {
		struct image_group *g = &image->group[i];

		if (g->here && g->here->far) {
			group_far_put(a->all, g->here);
		} else if (g->here) {
			if (g->here->id != g->id)
				small_give(a->all, &a->all->group_ids, g->here->id);
			env->free(env->ctx, g->here, sizeof(*g->here));
		}
	}
	for (u32 i = 0; i < image->nspaces; i++) {
		if (!image->space[i].made || !a->list[i])
			continue;
		env->owner_put(env->ctx, a->list[i]->owner);
		env->free(env->ctx, a->list[i], sizeof(*a->list[i]));
		a->list[i] = NULL;
	}
}

static void forget_what_was_made(struct mounts_image *image)
{
	for (u32 i = 0; i < image->nmounts; i++) {
		image->mount[i].here = image->mount[i].made = NULL;
		image->mount[i].old_small = 0;
	}
	for (u32 i = 0; i < image->ngroups; i++)
		image->group[i].here = NULL;
}

/* --- Applying: performing --- */

/* What is here and stays is taken from its place, and out of its groups. */
static void take_up(const struct applying *a)
{
	for (u32 i = 0; i < a->image->nmounts; i++) {
		struct image_mount *to = &a->image->mount[i];
		struct mount *m = to->here;

		if (to->made || !m)
			continue;
		if (m->parent)
			mount_displace(m);
		mount_make_private(m);
	}
}

/* What is here and is not in the image leaves. */
static void leave(const struct applying *a)
{
	struct mount *list = NULL;

	for (u32 i = 0; i < a->image->nspaces; i++) {
		const struct mount_ns *ns = a->list[i];
		struct mount *m;

		if (a->image->space[i].skipped)
			continue;
		for (u64 id = 0; (m = mounts_after(ns, id)); id = m->node.key) {
			if (m->slot)
				continue;
			m->flags |= MOUNT_LEAVING;
			m->link = list;
			list = m;
		}
	}
	umount_list(list);
}

static void put_down(const struct applying *a, struct mount_ns *ns, const struct image_ns *in)
{
	const u32 kept = MOUNT_MARKED;

	for (u32 i = in->first; i < in->first + in->count; i++) {
		struct image_mount *to = &a->image->mount[i];
		struct mount *m = to->here;
		const struct image_group *groups = a->image->group;

		if (m->ns != ns) {
			if (m->ns)
				mount_leave(m);
			m->ns = ns;
			ns->nmounts++;
			order_insert(&ns->mounts, &m->node);
		}
		if (m->id != to->small) {
			small_give(a->all, &a->all->ids, m->id);
			m->id = to->small;
		}
		if (to->parent != NO_SLOT)
			mount_place(m, a->image->mount[in->first + to->parent].here, to->point);
		mount_set_groups(m, to->group ? groups[to->group - 1].here : NULL,
				 to->master ? groups[to->master - 1].here : NULL);
		m->flags = (to->flags & ~kept) | (m->flags & kept);
		m->slot = 0;
	}
	ns->root = in->count ? a->image->mount[in->first].here : NULL;
}

static void put_groups_in_order(const struct applying *a)
{
	for (u32 i = 0; i < a->image->ngroups; i++) {
		struct image_group *g = &a->image->group[i];
		struct mount_group *master = g->master ? a->image->group[g->master - 1].here : NULL;

		group_set_master(a->all, g->here, master);
	}
}

static void perform(const struct applying *a)
{
	struct mounts_image *image = a->image;

	take_up(a);
	leave(a);
	put_groups_in_order(a);
	for (u32 i = 0; i < image->nspaces; i++) {
		const struct image_ns *in = &image->space[i];
		struct mount_ns *ns = a->list[i];

		if (in->skipped)
			continue;
		ns->far = !(a->how & IMAGE_HOME);
		put_down(a, ns, in);
		if (in->made && !in->anonymous)
			order_insert(&a->all->namespaces, &ns->node);
		ns->event = in->event - 1;
		ns_changed(ns);
	}
	for (u32 i = 0; i < image->ngroups; i++) {
		if (image->group[i].here->far)
			group_far_put(a->all, image->group[i].here);
	}
}

int mounts_image_apply(struct mounts *all, struct mounts_image *image, struct mount_ns **list,
		       u32 how)
{
	struct applying a = {.all = all, .image = image, .list = list, .how = how};
	int err;

	forget_what_was_made(image);
	err = make_spaces(&a);
	if (!err)
		err = make_mounts(&a);
	if (!err)
		err = make_groups(&a);
	if (err)
		unmake(&a);
	else
		perform(&a);
	return err;
}

/* --- Which namespaces belong together --- */

u64 mounts_ns_identify(struct mount_ns *ns)
{
	const struct mounts_env *env = &ns->all->env;

	if (!ns->node.key)
		ns->node.key = env->new_ns_id(env->ctx);
	return ns->node.key;
}

bool mounts_ns_spreads(const struct mount_ns *ns)
{
	for (struct mount *m = ns->root; m; m = mounts_next(m, ns->root)) {
		if (m->group || m->master)
			return true;
	}
	return false;
}

struct connecting {
	struct mount_ns **list;
	u32 room, count;
};

static void connect(struct connecting *c, struct mount_ns *ns)
{
	if (!ns)
		return;
	for (u32 i = 0; i < MIN(c->count, c->room); i++) {
		if (c->list[i] == ns)
			return;
	}
	if (c->count < c->room)
		c->list[c->count] = ns;
	c->count++;
}

static void connect_group(struct connecting *c, const struct mount_group *group)
{
	const struct mount *m = group->members;

	if (m) {
		do {
			connect(c, m->ns);
			m = m->peer_next;
		} while (m != group->members);
	}
	for (m = group->slaves; m; m = m->slave_next)
		connect(c, m->ns);
}

/* All that receive from the group at the top of @group. */
static void connect_tree(struct connecting *c, const struct mount_group *group)
{
	const struct mount_group *top;

	while (group->master)
		group = group->master;
	for (top = group; group;) {
		connect_group(c, group);
		if (group->slave_groups) {
			group = group->slave_groups;
			continue;
		}
		while (group != top && !group->slave_next)
			group = group->master;
		group = group == top ? NULL : group->slave_next;
	}
}

u32 mounts_ns_connected(struct mount_ns *ns, struct mount_ns **list, u32 room)
{
	struct connecting c = {.list = list, .room = room};

	connect(&c, ns);
	for (u32 i = 0; i < MIN(c.count, c.room); i++) {
		for (struct mount *m = list[i]->root; m; m = mounts_next(m, list[i]->root)) {
			if (m->group)
				connect_tree(&c, m->group);
			else if (m->master)
				connect_tree(&c, m->master);
		}
	}
	return c.count;
}
