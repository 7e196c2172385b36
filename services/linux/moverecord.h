/*
 * A process that moves, as bytes: what move.c sends and makes a process of.
 *
 *   movegoods.c  what is counted at its home: pages, objects that are mapped, open files
 *   movetask.c   the process and its threads
 *   movelate.c   what may change until the last moment: signals, timers
 *
 * Both sides are the same program, so structures travel as they are; but bytes of another core are
 * checked before they are used, and hold no addresses.
 *
 * Runs in: the personality's domain.
 */
#ifndef LINUX_MOVERECORD_H
#define LINUX_MOVERECORD_H

#include "process.h"
#include "record.h"

#include <skerry/shard/memory.h>
#include <vfs/far_file.h>

/* What has been described for another core, each with a reference of that core. */
struct goods {
	u32 core;
	u32 nobjects, nfds;
	u64 npages;
	struct backing **backings; /* those that the objects describe; no references */
	struct memory_object *objects;
	u64 *at; /* addresses of the pages, with PM_* */
	struct page **pages;
	struct page_name *names;
	struct fd_desc *fds;
};

/**
 * Describe the memory and the descriptors of @p, which stands still, for @core. May wait.
 * Returns 0, -ENOMEM, -EHOSTDOWN, -EIO: then nothing is described.
 */
int goods_export(const struct process *p, u32 core, struct goods *g);

/** They do not go after all; and in any case, in the end: free the descriptions. */
void goods_unexport(const struct process *p, struct goods *g);
void goods_free(struct goods *g);

void goods_write(const struct process *p, const struct goods *g, struct record *r);

/* The same on the new core: what they describe. */
struct arrived {
	u32 nobjects;
	u64 npages;
	struct backing **backings;
	struct page **pages;
	const u64 *at; /* in the record */
	struct fd_table *files;
};

/**
 * Take over what a record describes, whose references are this core's from now on. May wait.
 * Returns 0, -ENOMEM, -EBADMSG, ...: then they have been given back.
 */
int goods_read(struct vfs *vfs, struct record *r, struct arrived *a);

/** Give back what nobody has taken. */
void arrived_free(struct arrived *a);

/** The memory of @p, and the memory that a record and @a make. NULL: no memory, or no sense. */
void mm_write(const struct mm *mm, const struct goods *g, struct record *r);
struct mm *mm_read(struct record *r, struct arrived *a);

/** The process with its memory, without what comes late. May wait. 0, -ENOMEM, ... */
int process_write(struct process *p, const struct goods *g, struct record *r);

/**
 * Make a process that does not run. On success it has what @a holds; after an error there is none.
 */
int process_read(struct vfs *vfs, struct record *r, struct arrived *a, struct process **out);

/** Take a process away that has been made by process_read() and never ran. */
void process_unmake(struct process *p);

/**
 * What comes late. Reading it cannot fail but for a lack of memory, by which signals lose what is
 * known of them, and timers are lost.
 */
void late_write(const struct process *p, struct record *r);
void late_read(struct process *p, struct record *r);

#endif
