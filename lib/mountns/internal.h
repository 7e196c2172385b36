/*
 * What the files of lib/mountns share. Private to it.
 *
 *   pieces.c   calls with arguments and answers of any length
 *   share.c    which namespaces other cores know; replicas: opening, bringing up to date, dropping
 *   change.c   changes: asking the home, and making them there
 *   make.c     namespaces that are made of those of another home
 *   give.c     homes that move
 *   death.c    homes that died
 */
#ifndef MOUNTNS_INTERNAL_H
#define MOUNTNS_INTERNAL_H

#include <mountns/mountns.h>
#include <mounts/order.h>
#include <skerry/shard/mount.h>

#include <string.h>

/* A core with a replica; at the home. It has one reference to the namespace there. */
struct member {
	u32 core;
	u64 join;
};

/*
 * A namespace that other cores know. At its home while it has replicas; where there is a replica;
 * and at the core that made it, by which it is found, until it ends.
 */
struct share {
	struct order_node node; /* first; key: the namespace's identifier */
	struct mount_ns *ns;    /* NULL: none here (yet) */
	u32 home;
	u64 join;      /* of this replica */
	bool joining;  /* the home has been asked */
	bool settling; /* its former home is telling the replicas */
	u32 from;      /* that is this core */
	bool stale;    /* ns is there, but nothing has been heard of it yet */
	struct fiber_queue joined;
	struct member *members;
	u32 nmembers, room;
};

/* What was heard of a home's last change. */
struct last_change {
	u64 number;
	struct shard_id by;
};

struct blob;
struct claim;

struct mountns {
	struct mounts *all;
	struct shard_net *net;
	struct fiber_loop *loop;
	struct mountns_env env;
	u32 self, cores;
	struct order_node *shares;
	u32 nmembers; /* of all shares */
	u64 joins, asked, number;
	bool held;  /* the lock of the home */
	bool again; /* something has changed since others were told */
	u32 settling;
	u32 giving; /* namespaces are on their way to another home */
	struct fiber_queue lock_wait, rehomed;
	struct blob *blobs;
	struct claim *claims;
	u64 blob_ids;
	struct last_change *last; /* by core */
};

/* --- pieces.c --- */

/* Bytes that grow; all zero is empty. What has no memory is broken. */
struct bytes {
	u8 *at;
	size_t len, room;
	bool broken;
};

void bytes_put(struct bytes *b, const void *from, size_t len);
void bytes_free(struct bytes *b);

/* An answer that is being read: *@at of *@left. -EBADMSG: it is shorter. */
struct piece {
	const u8 *at;
	size_t left;
};
int piece_read(struct piece *p, void *to, size_t len);

/* Begin arguments, which are then put behind. */
void args_begin(struct bytes *args);
/* Call @op there; *@answer (to be freed, may be NULL) is what came. The result, as shard_call(). */
s64 mountns_call(struct mountns *m, u32 core, u16 op, struct bytes *args, struct bytes *answer);
/* What came, without what is in front of it. */
struct piece answer_of(const struct bytes *answer);
int mountns_tell(struct mountns *m, u32 core, u16 op, const void *args, u32 len);
/* Serve all of the area. 0 or -ENOMEM. */
int pieces_serve(struct mountns *m);
void pieces_core_died(struct mountns *m, u32 core);
void pieces_free(struct mountns *m);

typedef s64 mountns_handler(struct mountns *m, u32 core, struct piece args, struct bytes *answer);
mountns_handler open_rx, drop_rx, update_rx, users_rx, change_rx, make_rx, give_rx, take_rx,
	moved_rx, ended_rx, flush_rx, claim_rx;

/* --- share.c --- */

struct share *share_find(const struct mountns *m, u64 id);
/* Of a namespace that is to be known by others: found or made. NULL: no memory. */
struct share *share_of(struct mountns *m, struct mount_ns *ns);
struct share *share_new(struct mountns *m, u64 id, u32 home);
void share_free(struct mountns *m, struct share *s);
/* Which core made what has this identifier. */
u32 made_by(const struct mountns *m, u64 id);
/* Another core is a replica from now on, or is so for a newer reason. 0 or -ENOMEM. */
int member_add(struct mountns *m, struct share *s, u32 core, u64 join);
void member_drop(struct mountns *m, struct share *s, u32 i);
/* A namespace of this core by its number; NULL: this is not its home. */
struct mount_ns *ns_here(const struct mountns *m, u64 id);

/* Nothing is changed here meanwhile; waits for what settles here, too. */
void lock(struct mountns *m);
/* @s is this core's for good, and may be changed. */
void settled(struct mountns *m, struct share *s);
void unlock(struct mountns *m);
/* Without interrupts: undone by giving back what it returned. */
bool hold(const struct mountns *m);
void release(const struct mountns *m, bool held);

/* A moment, until there may be memory. */
void wait_for_memory(const struct mountns *m);

/* What else all replicas must hear of a change. */
struct event {
	struct shard_id by;
	u64 pivot_ns, pivot_from, pivot_to;
};
/* Tell all replicas of what has changed; the lock is held. Comes to an end whatever happens. */
void cast(struct mountns *m, const struct event *event);

/* An image of what is at @list, as bytes behind @out; again until there is memory. */
int image_put(struct mountns *m, struct mount_ns *const *list, u32 n, struct bytes *out);

/* --- change.c --- */

struct change {
	u32 what, how;
	struct mount *a, *b, *c;
	struct dentry *dir; /* of b, or of c if that is there */
	u32 set, clear, kind, users;
};
/* The mount that a request is about; NULL: it is not of this home. */
struct mount *mount_here(const struct mountns *m, const struct shard_mounts_user *at);
/* Ask the home of @ns, which is another core; -ESTALE: ask again, wherever it is then. */
s64 ask_home(struct mountns *m, const struct mount_ns *ns, u16 op, struct bytes *args,
	     struct bytes *answer);
/* Namespaces (or NULL) that do not end while somebody waits. */
void keep(struct mount_ns *a, struct mount_ns *b);
void keep_no_more(struct mount_ns *a, struct mount_ns *b);
struct shard_id change_id(struct mountns *m);
struct shard_mounts_user name_mount(const struct mount *mnt);
/* Directory @dir of @mnt's file system, or an owner, behind @out, with its length. */
void put_ref(struct mountns *m, enum ref_kind kind, void *thing, struct superblock *in,
	     struct bytes *out);
int get_ref(struct mountns *m, enum ref_kind kind, struct superblock *in, struct piece *from,
	    void **thing);

/* --- give.c --- */

/* Make the homes of @a and @b one; whoever holds no lock calls it. 0, or why not. */
int bring_together(struct mountns *m, struct mount_ns *a, struct mount_ns *b);

/* --- death.c --- */

void core_died(struct shard_net *net, u32 core, void *arg);
/* Wait until @core, which is dead, is nobody's home any more. */
void wait_rehomed(struct mountns *m, u32 core);

#endif
