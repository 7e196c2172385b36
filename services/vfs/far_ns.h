/*
 * Namespaces that several cores know.
 *
 * Mount namespaces are replicated objects: lib/mountns. All others are values (names, maps of
 * numbers) that each core keeps a copy of as long as somebody there is in it; the core that made a
 * namespace puts changes into an order, and all copies are changed before the call returns.
 *
 * A namespace is known everywhere by its type and identifier, which says who made it. Whoever
 * names one to another core has it himself, so he can be asked what it is.
 *
 * With one core none of this is called, and nothing is kept for it.
 * Runs in: the personality, host tests.
 */
#ifndef VFS_FAR_NS_H
#define VFS_FAR_NS_H

#include <vfs/ns.h>

struct shard_net;

/** Serve the other cores; before anything is shared. 0 or -ENOMEM. */
int far_ns_join(struct vfs *vfs, struct shard_net *net);

/* What one core tells another of a namespace. */
struct far_ns_ref {
	u64 id;
	u32 type; /* NS_* */
	u32 core; /* that has it */
};

static_assert(sizeof(struct far_ns_ref) == 16, "no holes");

/** What @ns is called elsewhere. It must be held here until the other core has found it. */
void far_ns_name(struct ns *ns, struct far_ns_ref *out);

/** The namespace of that name, with a reference. 0, -ENOENT, -EBADMSG, -EHOSTDOWN, -ENOMEM. May
 * wait. */
int far_ns_find(struct vfs *vfs, const struct far_ns_ref *ref, struct ns **out);

/** A namespace of this core by its type and identifier; NULL: there is none. No reference. */
struct ns *ns_find(const struct vfs *vfs, u32 type, u64 id);

/** The namespace object over @mounts, whose reference is taken over. NULL: no memory, nothing
 * taken. */
struct mnt_namespace *mnt_namespace_of(struct vfs *vfs, struct mount_ns *mounts);

/* --- Values --- */

#define FAR_NS_VALUE_MAX (12 * KiB)

struct far_ns_kind {
	u32 type;
	/* Its value, to @out of FAR_NS_VALUE_MAX bytes; how many there are. */
	u32 (*put)(const struct ns *ns, void *out);
	/* A copy, with one reference, begun by ns_begin(). 0, -ENOMEM, -EBADMSG. */
	int (*make)(struct vfs *vfs, u32 inum, u64 id, struct user_ns *owner, const void *value,
		    u32 bytes, struct ns **out);
	/* Its value is another from now on; what is no value is ignored. NULL: it never is. */
	void (*set)(struct ns *ns, const void *value, u32 bytes);
	struct far_ns_kind *next;
};

/** Those of users are known. @kind stays the caller's, for ever. */
void far_ns_register(struct vfs *vfs, struct far_ns_kind *kind);

/** The value of @ns has been changed here: every copy is before this returns. May wait. */
void far_ns_changed(struct ns *ns);

#endif
