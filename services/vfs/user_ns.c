/*
 * User namespaces: which numbers of users and groups are which outside.
 *
 * Everything keeps the numbers of the first user namespace; they are turned into those of a
 * process's own where they come in and go out. A number that has none there is shown as 65534.
 *
 * Runs in: the personality, host tests. Source: user_namespaces(7).
 */
#include "far_ns.h"
#include "internal.h"

#include <stdlib.h>
#include <string.h>
#include <vfs/text.h>

#define LEVELS_MAX 32u

static void end(struct ns *ns)
{
	struct user_ns *user = container_of(ns, struct user_ns, ns);

	ns_put(&user->parent->ns);
	free(user);
}

struct user_ns *user_ns_begin(struct vfs *vfs, struct user_ns *parent, u32 inum, u64 id)
{
	struct user_ns *ns = calloc(1, sizeof(*ns));

	if (!ns)
		return NULL;
	ns->parent = parent;
	ns_get(&parent->ns);
	ns->level = parent->level + 1;
	ns->setgroups = parent->setgroups;
	ns_begin(vfs, &ns->ns, NS_USER, inum, id, parent, end);
	return ns;
}

int user_ns_new(const struct vfs_task *t, struct user_ns **out)
{
	struct user_ns *parent = task_user_ns(t), *ns;

	if (parent->level >= LEVELS_MAX)
		return -ENOSPC;
	/* Who is nobody outside would be nobody's owner; and chroot must not be left this way. */
	if (user_ns_up(parent, t->cred.euid, MAP_USERS) == NO_ID ||
	    user_ns_up(parent, t->cred.egid, MAP_GROUPS) == NO_ID || vfs_is_chrooted(t))
		return -EPERM;
	ns = user_ns_begin(t->vfs, parent, 0, 0);
	if (!ns)
		return -ENOMEM;
	ns->uid = t->cred.euid;
	ns->gid = t->cred.egid;
	*out = ns;
	return 0;
}

u32 user_ns_down(const struct user_ns *ns, u32 id, enum id_kind kind)
{
	const struct id_map *map = &ns->maps[kind];

	if (!ns->parent)
		return id;
	for (u32 i = 0; i < map->count; i++) {
		const struct id_range *r = &map->ranges[i];

		if (id >= r->inside && id - r->inside < r->count)
			return r->outside + (id - r->inside);
	}
	return NO_ID;
}

u32 user_ns_up(const struct user_ns *ns, u32 id, enum id_kind kind)
{
	const struct id_map *map = &ns->maps[kind];

	if (!ns->parent)
		return id;
	for (u32 i = 0; i < map->count; i++) {
		const struct id_range *r = &map->ranges[i];

		if (id >= r->outside && id - r->outside < r->count)
			return r->inside + (id - r->outside);
	}
	return NO_ID;
}

u32 user_ns_show(const struct user_ns *ns, u32 id, enum id_kind kind)
{
	u32 up = user_ns_up(ns, id, kind);

	return up == NO_ID ? NOBODY : up;
}

/* --- Maps: /proc/PID/uid_map and its like --- */

static const char *parse_u32(const char *s, u32 *out)
{
	u64 n = 0;

	while (*s == ' ' || *s == '\t')
		s++;
	if (*s < '0' || *s > '9')
		return NULL;
	for (; *s >= '0' && *s <= '9'; s++) {
		n = n * 10 + (u64)(*s - '0');
		if (n > UINT32_MAX)
			return NULL;
	}
	*out = (u32)n;
	return s;
}

static bool overlaps(const struct id_map *map, const struct id_range *r)
{
	for (u32 i = 0; i < map->count; i++) {
		const struct id_range *o = &map->ranges[i];

		if ((r->inside < o->inside + o->count && o->inside < r->inside + r->count) ||
		    (r->outside < o->outside + o->count && o->outside < r->outside + r->count))
			return true;
	}
	return false;
}

static int parse_map(const char *text, struct id_map *map)
{
	while (*text) {
		struct id_range r;

		if (map->count == ARRAY_SIZE(map->ranges))
			return -EINVAL;
		text = parse_u32(text, &r.inside);
		text = text ? parse_u32(text, &r.outside) : NULL;
		text = text ? parse_u32(text, &r.count) : NULL;
		if (!text)
			return -EINVAL;
		while (*text == ' ' || *text == '\t')
			text++;
		if ((*text && *text != '\n') || !r.count)
			return -EINVAL;
		text += *text == '\n';
		if (r.inside + r.count < r.inside || r.outside + r.count < r.outside ||
		    overlaps(map, &r))
			return -EINVAL;
		map->ranges[map->count++] = r;
	}
	return map->count ? 0 : -EINVAL;
}

/* May @t give @ns this map, whose outside numbers are its parent's? */
static bool may_map(const struct vfs_task *t, const struct user_ns *ns, const struct id_map *map,
		    enum id_kind kind)
{
	const struct user_ns *parent = ns->parent;
	u32 outside = user_ns_down(parent, map->ranges[0].outside, kind);

	if (map->count == 1 && map->ranges[0].count == 1 && ns->uid == t->cred.euid) {
		if (kind == MAP_USERS && outside == t->cred.euid)
			return true;
		if (kind == MAP_GROUPS && !ns->setgroups && outside == t->cred.egid)
			return true;
	}
	return vfs_capable_in(t, parent, kind == MAP_USERS ? VFS_CAP_SETUID : VFS_CAP_SETGID);
}

int user_ns_set_map(const struct vfs_task *t, struct user_ns *ns, enum id_kind kind,
		    const char *text)
{
	const struct user_ns *own = task_user_ns(t);
	struct id_map map = {0};
	int err;

	if (!ns->parent || ns->maps[kind].count || (own != ns && own != ns->parent) ||
	    !vfs_capable_in(t, ns, VFS_CAP_SYS_ADMIN))
		return -EPERM;
	err = parse_map(text, &map);
	if (err)
		return err;
	if (!may_map(t, ns, &map, kind))
		return -EPERM;
	for (u32 i = 0; i < map.count; i++) {
		struct id_range *r = &map.ranges[i];
		u32 first = user_ns_down(ns->parent, r->outside, kind);
		u32 last = user_ns_down(ns->parent, r->outside + (r->count - 1), kind);

		if (first == NO_ID || last == NO_ID || last - first != r->count - 1)
			return -EPERM;
		r->outside = first;
	}
	ns->maps[kind] = map;
	far_ns_changed(&ns->ns);
	return 0;
}

void user_ns_show_map(const struct vfs_task *reader, const struct user_ns *ns, enum id_kind kind,
		      struct text *out)
{
	const struct user_ns *seen = task_user_ns(reader);
	const struct id_map *map = &ns->maps[kind];

	if (!ns->parent) {
		text_printf(out, "%10u %10u %10u\n", 0, 0, UINT32_MAX);
		return;
	}
	if (seen == ns)
		seen = ns->parent;
	for (u32 i = 0; i < map->count; i++) {
		const struct id_range *r = &map->ranges[i];

		text_printf(out, "%10u %10u %10u\n", r->inside, user_ns_up(seen, r->outside, kind),
			    r->count);
	}
}

int user_ns_set_setgroups(const struct vfs_task *t, struct user_ns *ns, const char *text)
{
	size_t len = strcspn(text, "\n");
	bool allow = len == 5 && !memcmp(text, "allow", 5);
	bool deny = len == 4 && !memcmp(text, "deny", 4);

	if (!vfs_capable_in(t, ns, VFS_CAP_SYS_ADMIN))
		return -EPERM;
	if (!allow && !deny)
		return -EINVAL;
	if (allow)
		return ns->setgroups ? 0 : -EPERM;
	if (ns->maps[MAP_GROUPS].count || !ns->parent)
		return -EPERM;
	ns->setgroups = false;
	far_ns_changed(&ns->ns);
	return 0;
}

bool user_ns_may_setgroups(const struct user_ns *ns)
{
	return ns->setgroups && (!ns->parent || ns->maps[MAP_GROUPS].count);
}

bool inode_ids_known(const struct vfs_task *t, const struct inode *inode)
{
	const struct user_ns *own = task_user_ns(t);

	return user_ns_up(own, inode->uid, MAP_USERS) != NO_ID &&
	       user_ns_up(own, inode->gid, MAP_GROUPS) != NO_ID;
}

bool inode_capable(const struct vfs_task *t, const struct inode *inode, u32 cap)
{
	return t->cred.caps >> cap & 1 && inode_ids_known(t, inode);
}
