/*
 * See far_ns.h: finding namespaces of other cores, and changing those that several know.
 *
 * Runs in: the personality, host tests.
 */
#include "far_ns.h"
#include "internal.h"

#include <mountns/mountns.h>
#include <skerry/shard/space.h>
#include <stdlib.h>
#include <string.h>

struct far_spaces {
	struct vfs *vfs;
	struct shard_net *net;
	struct far_ns_kind *kinds;
	bool changing; /* changes that this core orders are made one after the other */
	struct fiber_queue queue;
};

static struct far_ns_kind *kind_of(const struct far_spaces *f, u32 type)
{
	struct far_ns_kind *kind = f->kinds;

	while (kind && kind->type != type)
		kind = kind->next;
	return kind;
}

struct ns *ns_find(const struct vfs *vfs, u32 type, u64 id)
{
	struct ns *ns = vfs->last_ns;

	while (ns && (ns->id > id || (ns->id == id && ns->type != type)))
		ns = ns->prev;
	return ns && ns->id == id && ns->type == type ? ns : NULL;
}

void far_ns_name(struct ns *ns, struct far_ns_ref *out)
{
	const struct far_spaces *f = ns->vfs->far_spaces;
	u32 self = f ? shard_self(f->net) : 0;

	*out = (struct far_ns_ref){.id = ns->id, .type = ns->type, .core = self};
	if (ns->type == NS_MNT)
		out->core = mountns_home(ns->vfs->mountns,
					 container_of(ns, struct mnt_namespace, ns)->mounts);
	ns->shared = true;
}

/* --- Finding --- */

struct mnt_namespace *mnt_namespace_of(struct vfs *vfs, struct mount_ns *mounts)
{
	struct mnt_namespace *ns = mounts->arg;

	if (ns) {
		ns_get(&ns->ns);
		mounts_ns_put(mounts);
		return ns;
	}
	ns = mnt_namespace_new(vfs, mounts->inum, mounts->owner, mounts->node.key);
	if (ns)
		mnt_namespace_fill(ns, mounts);
	return ns;
}

static int find_mounts(struct vfs *vfs, const struct far_ns_ref *ref, struct ns **out)
{
	struct mnt_namespace *ns;
	struct mount_ns *mounts;
	int err = mountns_open(vfs->mountns, ref->core, ref->id, &mounts);

	if (err)
		return err;
	ns = mounts->anonymous ? NULL : mnt_namespace_of(vfs, mounts);
	if (!ns) {
		err = mounts->anonymous ? -ENOENT : -ENOMEM;
		mounts_ns_put(mounts);
		return err;
	}
	*out = &ns->ns;
	return 0;
}

/* What has come of a namespace is made here, unless somebody else has made it meanwhile. */
static int make_copy(struct vfs *vfs, const struct far_ns_ref *ref, const void *answer, u32 bytes,
		     struct ns **out)
{
	const struct far_ns_kind *kind = kind_of(vfs->far_spaces, ref->type);
	const struct shard_space *s = answer;
	struct far_ns_ref owner = {.type = NS_USER, .core = ref->core};
	struct ns *user;
	int err;

	if (bytes < sizeof(*s) || s->id != ref->id || s->type != ref->type)
		return -EBADMSG;
	owner.id = s->owner;
	err = far_ns_find(vfs, &owner, &user);
	if (err)
		return err;
	*out = ns_find(vfs, ref->type, ref->id);
	if (*out)
		ns_get(*out);
	else
		err = kind->make(vfs, s->inum, s->id, container_of(user, struct user_ns, ns), s + 1,
				 bytes - (u32)sizeof(*s), out);
	if (!err)
		(*out)->shared = true;
	ns_put(user);
	return err;
}

int far_ns_find(struct vfs *vfs, const struct far_ns_ref *ref, struct ns **out)
{
	const struct far_spaces *f = vfs->far_spaces;
	const struct shard_space ask = {.id = ref->id, .type = ref->type};
	u32 got;
	void *answer;
	s64 err;

	if (ref->type == NS_MNT)
		return find_mounts(vfs, ref, out);
	*out = ns_find(vfs, ref->type, ref->id);
	if (*out) {
		ns_get(*out);
		return 0;
	}
	if (!f || !kind_of(f, ref->type))
		return -EBADMSG;
	if (ref->core == shard_self(f->net))
		return -ENOENT;
	answer = malloc(sizeof(ask) + FAR_NS_VALUE_MAX);
	if (!answer)
		return -ENOMEM;
	err = shard_call(f->net, ref->core, SPACES_GET, &ask, sizeof(ask), answer,
			 (u32)sizeof(ask) + FAR_NS_VALUE_MAX, &got);
	if (!err)
		err = make_copy(vfs, ref, answer, got, out);
	free(answer);
	return (int)err;
}

/* --- Serving --- */

/* What @ns is, behind @s. Returns bytes with it. */
static u32 describe(const struct far_ns_kind *kind, const struct ns *ns, struct shard_space *s)
{
	*s = (struct shard_space){
		.id = ns->id,
		.type = ns->type,
		.inum = ns->inum,
		.owner = ns->owner ? ns->owner->ns.id : ns->vfs->user_ns.ns.id,
	};
	return (u32)sizeof(*s) + kind->put(ns, s + 1);
}

static s64 get_rx(struct shard_request *r)
{
	const struct shard_space *s = shard_args(r, sizeof(*s));
	struct far_spaces *f = r->arg;
	const struct far_ns_kind *kind = s ? kind_of(f, s->type) : NULL;
	struct ns *ns;
	struct shard_space *all;
	void *to;
	u32 bytes;

	if (!kind)
		return -EBADMSG;
	ns = ns_find(f->vfs, s->type, s->id);
	if (!ns)
		return -ENOENT;
	all = malloc(sizeof(*all) + FAR_NS_VALUE_MAX);
	if (!all)
		return -ENOMEM;
	ns->shared = true;
	bytes = describe(kind, ns, all);
	to = shard_answer(r, bytes);
	if (to)
		memcpy(to, all, bytes);
	free(all);
	return to ? 0 : -ENOMEM;
}

static s64 set_rx(struct shard_request *r)
{
	const struct shard_space *s = shard_args(r, sizeof(*s));
	struct far_spaces *f = r->arg;
	const struct far_ns_kind *kind = s ? kind_of(f, s->type) : NULL;
	struct ns *ns;

	if (!kind || !kind->set)
		return -EBADMSG;
	ns = ns_find(f->vfs, s->type, s->id);
	if (ns)
		kind->set(ns, s + 1, r->bytes - (u32)sizeof(*s));
	return 0;
}

/* Who orders the changes of what @id names: its maker, or the lowest core if that is dead. */
static u32 orders(const struct far_spaces *f, u64 id)
{
	u64 maker = id >> MOUNTS_CORE_SHIFT;
	u32 core = 0;

	if (maker < shard_cores(f->net) && shard_lives(f->net, (u32)maker))
		return (u32)maker;
	while (!shard_lives(f->net, core))
		core++;
	return core;
}

/* All copies are set, this core's too; one change after the other. */
static void set_all(struct far_spaces *f, const void *args, u32 bytes)
{
	bool held = fiber_hold_interrupts(f->vfs->loop, true);

	while (f->changing)
		fiber_wait(f->vfs->loop, &f->queue, FIBER_FOREVER);
	f->changing = true;
	for (u32 core = 0; core < shard_cores(f->net); core++) {
		if (shard_lives(f->net, core))
			(void)shard_call(f->net, core, SPACES_SET, args, bytes, NULL, 0, NULL);
	}
	f->changing = false;
	fiber_wake_one(&f->queue);
	fiber_hold_interrupts(f->vfs->loop, held);
}

static s64 change_rx(struct shard_request *r)
{
	if (r->bytes < sizeof(struct shard_space))
		return -EBADMSG;
	set_all(r->arg, r->args, r->bytes);
	return 0;
}

void far_ns_changed(struct ns *ns)
{
	struct far_spaces *f = ns->vfs->far_spaces;
	const struct far_ns_kind *kind = f ? kind_of(f, ns->type) : NULL;
	struct shard_space *all;
	u32 bytes;
	s64 err = -EHOSTDOWN;

	if (!kind || !ns->shared)
		return;
	all = malloc(sizeof(*all) + FAR_NS_VALUE_MAX);
	if (!all)
		return;
	bytes = describe(kind, ns, all);
	while (err == -EHOSTDOWN)
		err = shard_call(f->net, orders(f, ns->id), SPACES_CHANGE, all, bytes, NULL, 0,
				 NULL);
	free(all);
}

/* --- Users --- */

struct user_value {
	u32 uid, gid, setgroups, counts[2];
	struct id_range ranges[2 * ID_RANGES];
};

static_assert(sizeof(struct user_value) <= FAR_NS_VALUE_MAX, "it fits");

static u32 put_user(const struct ns *ns, void *out)
{
	const struct user_ns *user = container_of(ns, struct user_ns, ns);
	struct user_value *v = out;
	u32 n = 0;

	*v = (struct user_value){.uid = user->uid, .gid = user->gid, .setgroups = user->setgroups};
	for (u32 kind = 0; kind < 2; kind++) {
		v->counts[kind] = user->maps[kind].count;
		for (u32 i = 0; i < user->maps[kind].count; i++)
			v->ranges[n++] = user->maps[kind].ranges[i];
	}
	return (u32)(offsetof(struct user_value, ranges) + n * sizeof(v->ranges[0]));
}

static void set_user(struct ns *ns, const void *value, u32 bytes)
{
	struct user_ns *user = container_of(ns, struct user_ns, ns);
	const struct user_value *v = value;
	const struct id_range *from = v->ranges;

	if (bytes < offsetof(struct user_value, ranges) || v->counts[0] > ID_RANGES ||
	    v->counts[1] > ID_RANGES ||
	    bytes < offsetof(struct user_value, ranges) +
			    (v->counts[0] + v->counts[1]) * sizeof(v->ranges[0]))
		return;
	user->setgroups = v->setgroups;
	for (u32 kind = 0; kind < 2; from += v->counts[kind], kind++) {
		user->maps[kind].count = v->counts[kind];
		memcpy(user->maps[kind].ranges, from, v->counts[kind] * sizeof(*from));
	}
}

static int make_user(struct vfs *vfs, u32 inum, u64 id, struct user_ns *owner, const void *value,
		     u32 bytes, struct ns **out)
{
	const struct user_value *v = value;
	struct user_ns *user;

	if (bytes < offsetof(struct user_value, ranges))
		return -EBADMSG;
	user = user_ns_begin(vfs, owner, inum, id);
	if (!user)
		return -ENOMEM;
	user->uid = v->uid;
	user->gid = v->gid;
	set_user(&user->ns, value, bytes);
	*out = &user->ns;
	return 0;
}

static struct far_ns_kind users = {
	.type = NS_USER, .put = put_user, .make = make_user, .set = set_user};

/* --- Beginning --- */

void far_ns_register(struct vfs *vfs, struct far_ns_kind *kind)
{
	kind->next = vfs->far_spaces->kinds;
	vfs->far_spaces->kinds = kind;
}

int far_ns_join(struct vfs *vfs, struct shard_net *net)
{
	struct far_spaces *f = calloc(1, sizeof(*f));
	int err;

	if (!f)
		return -ENOMEM;
	f->vfs = vfs;
	f->net = net;
	vfs->far_spaces = f;
	far_ns_register(vfs, &users);
	vfs->next_ns_id += (u64)shard_self(net) << MOUNTS_CORE_SHIFT;
	vfs->next_inum += shard_self(net) << VFS_INUM_CORE_SHIFT;
	err = shard_serve(net, SPACES_GET, get_rx, f);
	if (!err)
		err = shard_serve(net, SPACES_CHANGE, change_rx, f);
	if (!err)
		err = shard_serve(net, SPACES_SET, set_rx, f);
	if (!err)
		err = mountns_connect(vfs->mountns, net, vfs->loop);
	return err ? err : mountns_first(vfs->mountns, vfs->first_mnt->mounts);
}
