/*
 * Mount namespaces that several cores see.
 *
 * A namespace is made by one core, its home, and is nobody else's: making, changing and ending it
 * takes no message. Another core that needs it (a process that moves there, setns, /proc) gets a
 * replica. From then on the home puts all changes into an order, and brings every replica up to
 * date before whoever asked for the change is answered. Reading is local everywhere.
 *
 *   exclusive --- mountns_open() elsewhere --> shared (home, replicas) --- last replica drops -->
 * exclusive
 *
 * What happens in one namespace may reach another: by groups. Namespaces that are connected so
 * always have one home, so what spreads is one change of one tree, and nothing is half done. To
 * attach what one home has to what another has, the former's namespaces (with all that are
 * connected) are given to the latter first, in two steps: it takes them, then all replicas hear so.
 *
 * An image (mounts/image.h) is how a replica begins, how it is changed, and how a home moves.
 *
 *   lock of the home -> the change, by lib/mounts -> images of what has changed to the replicas,
 *   which answer -> unlock -> the answer
 *
 * Order of waiting: whoever holds its own lock may wait for other cores to apply an update, to
 * count users, or to take namespaces: none of these takes a lock. Finding directories of other
 * cores, which all of these do, is served without locks, too.
 *
 * Death. The lowest core that lives becomes the home of all that the dead one was home of, with the
 * newest state that any replica has. A change that was answered is there; one that was not is
 * there as a whole or not at all, and whoever asked for it and lives learns which.
 *
 * All functions but those marked may wait, and are called by fibers.
 * Runs in: the personality, host tests. Not here: what a mount, an owner, a directory is called on
 * another core (struct mounts_refs), who may do what.
 */
#ifndef MOUNTNS_MOUNTNS_H
#define MOUNTNS_MOUNTNS_H

#include <mounts/image.h>
#include <shard/shard.h>

struct mountns;

struct mountns_env {
	struct mounts_refs refs;
	/* @ns has come to this core; sets its arg. 0 or -ENOMEM. Does not wait. */
	int (*arrived)(void *ctx, struct mount_ns *ns);
	/* pivot_root: whoever is at the root of @from goes to that of @to. Does not wait. */
	void (*pivoted)(void *ctx, struct mount *from, struct mount *to);
	void *ctx;
};

/** For the namespaces of @all, which nobody else knows of for now. NULL: no memory. */
struct mountns *mountns_new(struct mounts *all, const struct mountns_env *env);
/**
 * From now on there are other cores. @loop: of @net and of all fibers that call this. 0, -ENOMEM.
 *
 * Identifiers of what was made before are taken for core 0's: only the same may have been made on
 * all cores.
 */
int mountns_connect(struct mountns *m, struct shard_net *net, struct fiber_loop *loop);
void mountns_free(struct mountns *m);

/**
 * @ns, which every core has made for itself, is core 0's: on others it is made the same when it is
 * first opened. Does not wait. 0 or -ENOMEM.
 */
int mountns_first(struct mountns *m, struct mount_ns *ns);

/** lib/mounts tells that a namespace ends: env.ended. Does not wait. */
void mountns_ended(struct mountns *m, struct mount_ns *ns);

/** It tells that what others know has changed: env.touched. They will hear soon, unless a call of
 * this library is what changes it: then before that returns. Does not wait. */
void mountns_touched(struct mountns *m);

/** By which core a namespace can be opened; does not wait. */
u32 mountns_home(const struct mountns *m, const struct mount_ns *ns);

/**
 * The namespace @id, by a replica if need be.
 *
 * @hint  a core that has or had it; MOUNTNS_ANY: the one that made it
 * @out   with a reference, to be given back by mounts_ns_put()
 * Returns 0, -ENOENT (there is none), -EHOSTDOWN, -ENOMEM, and what refs.get() says.
 */
int mountns_open(struct mountns *m, u32 hint, u64 id, struct mount_ns **out);
#define MOUNTNS_ANY UINT32_MAX

/* --- Changes: as their namesakes in mounts.h --- */

/** @owner: of a tree that is in no namespace, while it is on its way. */
int mountns_attach(struct mountns *m, struct mount *tree, struct mount *parent, struct dentry *dir,
		   u32 how, void *owner);
int mountns_umount(struct mountns *m, struct mount *mnt, u32 users, u32 how);
int mountns_set_group(struct mountns *m, struct mount *from, struct mount *to);
int mountns_pivot_root(struct mountns *m, struct mount *new, struct mount *root, struct mount *old,
		       struct dentry *old_dir);

struct mountns_attr {
	u32 set, clear; /* MOUNT_SETTABLE */
	bool has_kind;
	enum mount_kind kind;
	bool recursive;
};

/** Flags and kind of @mnt, or of all its tree. -EPERM: a flag is locked. */
int mountns_set_attr(struct mountns *m, struct mount *mnt, const struct mountns_attr *attr);

/** A copy of a tree; of what spreads, and is another core's, as the root of an anonymous namespace
 * that @owner owns. */
int mountns_copy(struct mountns *m, struct mount *mnt, struct dentry *dir, u32 how, void *owner,
		 struct mount **out);

/** A copy of @ns; the mounts *@places[i] (or NULL) become their copies. */
int mountns_ns_copy(struct mountns *m, struct mount_ns *ns, void *owner, struct mount **places[2],
		    struct mount_ns **out);
/** Takes over the reference to @tree on success. */
int mountns_ns_of_tree(struct mountns *m, struct mount_ns *ns, void *owner, struct mount *tree,
		       struct mount_ns **out);

#endif
