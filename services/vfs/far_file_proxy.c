/*
 * What a proxy of another core's file does: it asks the home.
 *
 * Position, flags, waiting and locks are the home's. Data are gathered here and go with the call, a
 * piece of FAR_DATA_MAX at a time. Readiness is what the home has told last (far_note()); whoever
 * must know what holds now calls file_settle() before he polls.
 *
 * Runs in: the personality, host tests.
 */
#include "far_file_internal.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define SMALL 256u /* bytes of data that need no memory of their own */

/* --- Asking --- */

static s64 send(struct far_files *all, struct vfs_task *t, u32 core, struct far_call *call)
{
	u8 who[FAR_WHO_MAX];
	struct shard_in in[3] = {
		{&call->ask, sizeof(call->ask)}, {who, 0}, {call->data, call->bytes}};
	struct shard_out out[2] = {{&call->answer, sizeof(call->answer)}, {call->out, call->room}};
	struct shard_parts parts = {
		.in = in, .out = out, .nin = 3, .nout = 2, .interruptible = call->interruptible};
	s64 result;

	in[1].bytes = call->ask.who_bytes =
		ROUND_UP(all->env->who(all->arg, t, who, FAR_WHO_MAX), 8u);
	result = shard_call_parts(all->net, core, call->op, &parts);
	call->got = parts.got > sizeof(call->answer) ? parts.got - (u32)sizeof(call->answer) : 0;
	if (parts.got < sizeof(call->answer))
		call->answer = (struct file_answer){0};
	if (result == -EHOSTDOWN || result == -EBADMSG || result == -ENOSYS)
		return -EIO;
	return result;
}

void far_note(struct far_file *far, u32 events, u32 seq)
{
	if (far->dead || (far->known && (s32)(seq - far->seq) <= 0))
		return;
	far->known = true;
	far->events = events;
	far->seq = seq;
}

s64 far_ask(struct vfs_task *t, struct far_file *far, struct far_call *call)
{
	s64 result;

	if (far->dead)
		return -EIO;
	call->ask.id = far->id;
	file_get(far->file);
	result = send(far->all, t, far->home, call);
	if (call->answer.seq)
		far_note(far, call->answer.events, call->answer.seq);
	file_put(far->file);
	return result;
}

/* The same without waiting, and for nobody. */
static void far_tell(const struct far_file *far, struct far_call *call)
{
	call->ask.id = far->id;
	shard_tell(far->all->net, far->home, call->op, &call->ask, sizeof(call->ask));
}

s64 far_ask_core(struct far_files *all, struct vfs_task *t, u32 core, struct far_call *call)
{
	return send(all, t, core, call);
}

/* --- Data --- */

static u8 *piece_new(u8 *small, u32 *bytes, size_t want)
{
	*bytes = (u32)MIN(want, FAR_DATA_MAX);
	return *bytes <= SMALL ? small : malloc(*bytes);
}

static void piece_free(const u8 *small, u8 *piece)
{
	if (piece != small)
		free(piece);
}

static u32 flags_of(const struct file *file, const struct uio *uio, const s64 *pos)
{
	return (pos == &file->pos ? FILE_OWN_POS : 0) | (uio->nowait ? FILE_NOWAIT : 0);
}

/* What was read and could not be given is to be read again, where that can be said. */
static void step_back(struct vfs_task *t, struct far_file *far, s64 by)
{
	struct far_call call = {.op = FILES_SEEK, .ask = {.what = SEEK_CUR, .pos = -by}};

	if ((far->traits & FILE_HAS_SEEK) && !(far->traits & FILE_SEEKS_NOWHERE))
		far_ask(t, far, &call);
}

/* One piece. Sets *@more: the piece was full, so there may be more without waiting. */
static s64 read_piece(struct vfs_task *t, struct file *file, struct uio *uio, s64 *pos, bool *more)
{
	struct far_file *far = file->private;
	struct far_call call = {.op = FILES_READ, .interruptible = true};
	u8 small[SMALL], *piece = piece_new(small, &call.room, uio->left);
	size_t given;
	s64 n;

	if (!piece)
		return -ENOMEM;
	call.out = piece;
	call.ask.len = call.room;
	call.ask.pos = *pos;
	call.ask.flags = flags_of(file, uio, pos);
	n = far_ask(t, far, &call);
	if (n > (s64)call.got)
		n = -EIO;
	given = n > 0 ? uio_put(uio, piece, (size_t)n) : 0;
	*more = n == (s64)call.room && given == (size_t)n;
	if (n > 0 && pos != &file->pos)
		*pos += (s64)given;
	else if (n > 0 && given < (size_t)n)
		step_back(t, far, n - (s64)given);
	piece_free(small, piece);
	if (n > 0 && !given)
		return -EFAULT;
	return n > 0 ? (s64)given : n;
}

static s64 far_read(struct vfs_task *t, struct file *file, struct uio *uio, s64 *pos)
{
	const struct far_file *far = file->private;
	bool nowait = uio->nowait, more;
	size_t before = uio->done;
	s64 n;

	do {
		n = read_piece(t, file, uio, pos, &more);
		/* Only of a regular file is more than there was at first asked for. */
		more = more && (far->traits & FILE_HAS_PAGES);
		uio->nowait = nowait;
	} while (more && uio->left);
	return uio->done > before ? (s64)(uio->done - before) : n;
}

/* What RWF_APPEND and RWF_NOAPPEND have made of the flags for this write: rw.c. */
static u32 append_of(const struct uio *uio)
{
	return (uio->append > 0 ? FILE_APPEND : 0) | (uio->append < 0 ? FILE_NOAPPEND : 0);
}

static s64 write_piece(struct vfs_task *t, struct file *file, struct uio *uio, s64 *pos, bool *more)
{
	struct far_file *far = file->private;
	struct far_call call = {.op = FILES_WRITE, .interruptible = true};
	u8 small[SMALL], *piece = piece_new(small, &call.bytes, uio->left);
	u32 want = call.bytes;
	s64 n;

	if (!piece)
		return -ENOMEM;
	call.bytes = want ? (u32)uio->copy(uio, piece, want, true) : 0;
	if (want && !call.bytes) {
		piece_free(small, piece);
		return -EFAULT;
	}
	call.data = piece;
	call.ask.pos = *pos;
	call.ask.flags = flags_of(file, uio, pos) | append_of(uio);
	n = far_ask(t, far, &call);
	piece_free(small, piece);
	if (n > (s64)call.bytes)
		n = -EIO;
	if (n > 0)
		uio_skip(uio, (size_t)n);
	if (n > 0 && pos != &file->pos)
		*pos = (s64)call.answer.value;
	*more = n == (s64)want;
	return n;
}

static s64 far_write(struct vfs_task *t, struct file *file, struct uio *uio, s64 *pos)
{
	size_t before = uio->done;
	bool more;
	s64 n;

	do {
		n = write_piece(t, file, uio, pos, &more);
	} while (more && uio->left);
	return uio->done > before ? (s64)(uio->done - before) : n;
}

static s64 far_seek(struct vfs_task *t, struct file *file, s64 offset, u32 whence)
{
	struct far_call call = {.op = FILES_SEEK, .ask = {.what = whence, .pos = offset}};

	return far_ask(t, file->private, &call);
}

s64 file_seek_far(struct vfs_task *t, struct file *file)
{
	s64 pos = file->ops->seek ? file->ops->seek(t, file, 0, SEEK_CUR) : -ESPIPE;

	if (pos >= 0)
		file->pos = pos;
	return pos;
}

/* --- Readiness --- */

static u32 far_poll(struct file *file, struct poll_table *table)
{
	struct far_file *far = file->private;

	poll_wait(table, &far->queue);
	return far->events;
}

void far_gone(struct far_file *far)
{
	struct file *file = file_get(far->file);

	far->dead = true;
	far->events = POLLERR | POLLHUP | POLLIN | POLLRDNORM;
	if (file->watchers)
		epoll_forget(file);
	file_put(file);
}

void far_changed(struct far_file *far, const struct file_change *change)
{
	struct file_ask ask = {.id = far->id};

	far_note(far, change->events, change->seq);
	if (far->queue.first || far->settling)
		wait_wake(&far->queue, change->cause);
	else /* nobody is there any more who wants to know */
		shard_tell(far->all->net, far->home, FILES_UNWATCH, &ask, sizeof(ask));
}

static void far_settle(struct vfs_task *t, struct file *file, bool keep)
{
	struct far_file *far = file->private;
	struct far_call call = {.op = FILES_POLL};

	call.ask.what = keep || file->watchers ? FILE_WATCH_ALL : FILE_WATCH_ONCE;
	far->settling++;
	far_ask(t, far, &call);
	far->settling--;
}

void far_core_died(struct far_files *all, u32 core)
{
	for (u32 i = 0; i < FAR_BUCKETS; i++) {
		for (struct far_file *far = all->proxies[i]; far; far = far->next) {
			if (far->home != core)
				continue;
			far->dead = true;
			far->events = POLLERR | POLLHUP | POLLIN | POLLRDNORM;
			wait_wake(&far->queue, far->events);
		}
	}
}

/* --- The rest --- */

/* TIOCGPTPEER: the descriptor is to be here. */
static int open_slave(struct vfs_task *t, const struct far_file *master, int flags)
{
	char name[32];

	snprintf(name, sizeof(name), "/dev/pts/%lu", master->aux);
	return vfs_openat(t, AT_FDCWD, name, flags, 0);
}

/* An ioctl has made a file. */
static int take_descriptor(struct vfs_task *t, const struct file_desc *desc)
{
	struct file *file;
	int err = file_import(t->vfs, desc, &file);

	return err ? err : fd_add(t, file, true);
}

static int far_ioctl(struct vfs_task *t, struct file *file, u32 cmd, u64 arg)
{
	struct file_desc desc;
	struct far_call call = {.op = FILES_IOCTL,
				.interruptible = true,
				.ask = {.what = cmd, .arg = arg},
				.out = &desc,
				.room = sizeof(desc)};
	s64 result;

	if (cmd == TIOCGPTPEER && (((struct far_file *)file->private)->traits & FILE_IS_PTY_MASTER))
		return open_slave(t, file->private, (int)arg);
	result = far_ask(t, file->private, &call);
	if (result >= 0 && call.got == sizeof(desc))
		return take_descriptor(t, &desc);
	if (!result && cmd == TIOCNOTTY)
		t->ctty = NULL; /* a session leader's: the home has told all */
	return (int)result;
}

static s64 far_fcntl(struct vfs_task *t, struct file *file, int fd, int cmd, u64 arg)
{
	struct far_call call = {.op = FILES_FCNTL,
				.interruptible = true,
				.ask = {.what = (u32)cmd, .fd = (u32)fd, .arg = arg}};

	return far_ask(t, file->private, &call);
}

/* The names of a piece that has been read; false: it is damaged. Sets *@full: no room there. */
static bool emit_names(const u8 *at, u32 bytes, struct dir_context *ctx, bool *full)
{
	while (bytes && !*full) {
		const struct file_name *name = (const struct file_name *)at;
		u32 size = sizeof(*name);

		if (bytes < size || name->len > VFS_NAME_MAX)
			return false;
		size += ROUND_UP(name->len, 8u);
		if (bytes < size)
			return false;
		*full = !dir_emit(ctx, (const char *)(name + 1), name->len, name->ino, name->type,
				  name->next);
		at += size;
		bytes -= size;
	}
	return true;
}

static int far_readdir(struct vfs_task *t, struct file *file, struct dir_context *ctx)
{
	u8 *names = malloc(FAR_DATA_MAX);
	bool full = false;
	s64 n = names ? 1 : -ENOMEM;

	while (n > 0 && !full) {
		struct far_call call = {.op = FILES_READDIR,
					.ask = {.pos = (s64)ctx->pos, .len = FAR_DATA_MAX},
					.out = names,
					.room = FAR_DATA_MAX};

		n = far_ask(t, file->private, &call);
		if (n > 0 && !emit_names(names, call.got, ctx, &full))
			n = -EIO;
	}
	free(names);
	return n < 0 ? (int)n : 0;
}

static int far_fallocate(struct vfs_task *t, struct file *file, u32 mode, u64 offset, u64 len)
{
	struct far_call call = {.op = FILES_FALLOCATE,
				.ask = {.what = mode, .pos = (s64)offset, .len = len}};

	return (int)far_ask(t, file->private, &call);
}

static int far_fsync(struct vfs_task *t, struct file *file, bool data_only)
{
	struct far_call call = {.op = FILES_FSYNC, .ask = {.what = data_only}};

	return (int)far_ask(t, file->private, &call);
}

static int far_lock(struct vfs_task *t, struct file *file, int cmd, u64 owner, struct vfs_flock *f)
{
	struct far_call call = {.op = FILES_LOCK,
				.interruptible = true,
				.ask = {.what = (u32)cmd, .arg = owner},
				.data = f,
				.bytes = sizeof(*f),
				.out = f,
				.room = sizeof(*f)};

	return (int)far_ask(t, file->private, &call);
}

static int far_flock(struct vfs_task *t, struct file *file, u32 operation)
{
	struct far_call call = {
		.op = FILES_FLOCK, .interruptible = true, .ask = {.what = operation}};

	return (int)far_ask(t, file->private, &call);
}

static s64 far_control(struct vfs_task *t, struct file *file, u32 what, void *data, u32 bytes)
{
	struct far_call call = {.op = FILES_CONTROL,
				.ask = {.what = what},
				.data = data,
				.bytes = bytes,
				.out = data,
				.room = bytes};

	return far_ask(t, file->private, &call);
}

static void far_closed(struct vfs_task *t, struct file *file, u64 owner)
{
	struct far_call call = {.op = FILES_CLOSED, .ask = {.arg = owner}};

	if (fiber_self(t->vfs->loop))
		far_ask(t, file->private, &call);
	else
		far_tell(file->private, &call);
}

/* Who closes the last may look at once for what that means: at a pipe's other end, a terminal. */
static void far_flush(struct vfs_task *t, struct file *file)
{
	struct far_file *far = file->private;
	struct file_ask ask = {.id = far->id, .core = far->all->self, .len = far->held};

	if (file->refs > 1 || far->dead || !far->held || !fiber_self(t->vfs->loop))
		return;
	far->held = 0; /* references that come meanwhile are counted anew */
	shard_call(far->all->net, far->home, FILES_DROP, &ask, sizeof(ask), NULL, 0, NULL);
}

static void far_release(struct file *file)
{
	struct far_file *far = file->private, **at;

	at = &far->all->proxies[(far->id ^ far->home) % FAR_BUCKETS];
	while (*at != far)
		at = &(*at)->next;
	*at = far->next;
	far->all->nproxies--;
	if (far->inode)
		far->inode->far = NULL;
	if (!far->dead && far->held)
		far_send_drop(far->all, far->home, far->id, far->all->self, far->held, false);
	if (!far->dead && far->weak)
		far_send_drop(far->all, far->home, far->id, far->all->self, far->weak, true);
	free(far);
}

#define COMMON                                                                                     \
	.read = far_read, .write = far_write, .ioctl = far_ioctl, .fsync = far_fsync,              \
	.fcntl = far_fcntl, .lock = far_lock, .flock = far_flock, .control = far_control,          \
	.closed = far_closed, .flush = far_flush, .release = far_release

static const struct file_ops ops_of_stream = {COMMON, .poll = far_poll, .settle = far_settle};
static const struct file_ops ops_of_object = {COMMON, .poll = far_poll, .settle = far_settle,
					      .seek = file_seek_nothing};
static const struct file_ops ops_of_device = {COMMON, .poll = far_poll, .settle = far_settle,
					      .seek = far_seek};
static const struct file_ops ops_of_file = {COMMON, .seek = far_seek, .fallocate = far_fallocate};
static const struct file_ops ops_of_folder = {COMMON, .seek = far_seek, .readdir = far_readdir};
static const struct file_ops ops_of_other = {COMMON};

const struct file_ops far_path_ops = {.flush = far_flush, .release = far_release};

const struct file_ops *far_ops_of(u32 traits)
{
	if (traits & FILE_HAS_READDIR)
		return &ops_of_folder;
	if (traits & FILE_SEEKS_NOWHERE)
		return &ops_of_object;
	if (traits & FILE_HAS_POLL)
		return traits & FILE_HAS_SEEK ? &ops_of_device : &ops_of_stream;
	return traits & FILE_HAS_SEEK ? &ops_of_file : &ops_of_other;
}

bool file_is_far(const struct file *file)
{
	return file->ops->release == far_release;
}
