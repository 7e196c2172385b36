/*
 * Pipes from inside: a ring of buffers, each a part of a page. Private to services/vfs.
 *
 * Whoever moves bytes to or from a user, or a file, may block meanwhile and so holds the pipe;
 * whoever moves whole buffers only waits until nobody holds it (pipe_settled()).
 */
#ifndef VFS_PIPE_H
#define VFS_PIPE_H

#include "internal.h"

struct pipe_buf {
	struct page *page; /* held */
	u32 offset, len;
	bool packet; /* read alone; what a read leaves of it is dropped */
	bool grows;  /* the page is the pipe's own: a write may go on behind the bytes */
};

struct pipe {
	struct vfs *vfs;
	struct inode *inode;
	u32 files, readers, writers;
	u32 reader_count, writer_count; /* opened ever: who opens a FIFO waits for a change */
	u32 nslots;                     /* a power of two */
	u32 tail, used;                 /* slots */
	struct pipe_buf *slots;
	struct page *spare; /* so that bytes that come and go need no new page each time */
	struct wait_queue readable, writable;
	bool held;
	struct wait_queue released;
};

/** The pipe that is open as @file; NULL: it is no pipe. */
struct pipe *file_pipe(const struct file *file);

static inline bool pipe_is_full(const struct pipe *pipe)
{
	return pipe->used >= pipe->nslots;
}

/** The @i-th buffer from the oldest. */
static inline struct pipe_buf *pipe_at(const struct pipe *pipe, u32 i)
{
	return &pipe->slots[(pipe->tail + i) & (pipe->nslots - 1)];
}

/* Only a fiber that moves bytes can find the pipe held, so there is a fiber to wait. */
void pipe_hold(struct pipe *pipe);
void pipe_let_go(struct pipe *pipe);
/** Wait until nobody holds either; true until the caller next blocks. */
void pipe_settled(struct pipe *a, struct pipe *b);

/** Append a buffer to a pipe that is not full; takes over the page's reference. */
void pipe_push(struct pipe *pipe, struct pipe_buf buf);
/** The first @len bytes of the oldest buffer have been read. */
void pipe_consume(struct pipe *pipe, u32 len);
/** A page for bytes of the pipe's own, with a reference; NULL: no memory. */
struct page *pipe_page(struct pipe *pipe);

/** Wait for bytes: 1; 0: nobody will write any. -EAGAIN (@nowait), -ERESTARTSYS. */
int pipe_wait_data(struct vfs_task *t, struct pipe *pipe, bool nowait);
/** Wait for a free slot: 0, -EPIPE (and SIGPIPE: nobody will read), -EAGAIN, -ERESTARTSYS. */
int pipe_wait_slot(struct vfs_task *t, struct pipe *pipe, bool nowait);

/* --- splice.c, for far_splice.c --- */

/* One call; a position that is NULL is the file's own. */
struct splice {
	struct file *in, *out;
	struct pipe *from, *to; /* what they are if they are pipes of this core */
	s64 *in_pos, *out_pos;
	bool nowait, tee;
};

/** Perform a call whose @in, or else whose @out, is a pipe of this core. */
s64 splice_here(struct vfs_task *t, struct splice *s, size_t len);

/* Is @file a pipe of another core? */
bool far_is_pipe(const struct file *file);
/* The core where such a call must be made; false: it can be made here. */
bool far_splice_core(const struct splice *s, u32 *core);
s64 far_splice(struct vfs_task *t, u32 core, const struct splice *s, size_t len);

void pipe_wake_readers(struct pipe *pipe);
void pipe_wake_writers(struct pipe *pipe);

#endif
