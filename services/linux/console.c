/*
 * The console of Linux programs: the serial line, by the service "console" of the serial driver
 * (skerry/msg/console.h).
 *
 * What is written goes into a ring, from which a fiber sends it.
 * Runs in: the personality's domain.
 */
#include "console.h"

#include <errno.h>
#include <poll.h>
#include <rt/rt.h>
#include <skerry/msg/console.h>
#include <string.h>
#include <vfs/wait.h>

#define RING_BYTES (16 * KiB)

static struct rt_channel *channel;
static u8 ring[RING_BYTES];
static size_t first, used;
static struct fiber_queue sender; /* waits for text */
static struct fiber_queue flushed;
static bool flush_done;
static struct wait_queue changed; /* readers and writers */
static u8 typed[4096];
static size_t ntyped;

/* ---- the line ---- */

static size_t put(const u8 *bytes, size_t len)
{
	size_t n = MIN(len, RING_BYTES - used);

	for (size_t i = 0; i < n; i++)
		ring[(first + used + i) % RING_BYTES] = bytes[i];
	used += n;
	fiber_wake_all(&sender);
	return n;
}

static void send_all(void *arg)
{
	(void)arg;
	for (;;) {
		struct msg_text chunk;

		while (!used)
			fiber_wait(&rt_loop, &sender, FIBER_FOREVER);
		chunk.bytes = (u8)MIN(used, CONSOLE_CHUNK);
		for (u8 i = 0; i < chunk.bytes; i++)
			chunk.text[i] = (char)ring[(first + i) % RING_BYTES];
		rt_channel_send(channel, CONSOLE_RAW, &chunk, sizeof(chunk), FIBER_FOREVER);
		first = (first + chunk.bytes) % RING_BYTES;
		used -= chunk.bytes;
		wait_wake(&changed, POLLOUT);
	}
}

static void receive_all(void *arg)
{
	struct msg m;

	(void)arg;
	while (rt_channel_receive(channel, &m, FIBER_FOREVER) == 0) {
		const struct msg_text *text = (const struct msg_text *)m.payload;

		if (m.type == CONSOLE_TYPED) {
			size_t n = MIN(MIN(text->bytes, CONSOLE_CHUNK), sizeof(typed) - ntyped);

			memcpy(typed + ntyped, text->text, n);
			ntyped += n;
			wait_wake(&changed, POLLIN);
		} else if (m.type == CONSOLE_FLUSHED) {
			flush_done = true;
			fiber_wake_all(&flushed);
		}
	}
}

void console_flush(void)
{
	struct msg_flush flush = {0};

	while (used)
		rt_sleep_ns(1000000);
	flush_done = false;
	if (rt_channel_send(channel, CONSOLE_FLUSH, &flush, sizeof(flush), FIBER_FOREVER))
		return;
	while (!flush_done)
		fiber_wait(&rt_loop, &flushed, FIBER_FOREVER);
}

/* ---- the file ---- */

static s64 console_write(struct vfs_task *t, struct file *file, struct uio *uio, s64 *pos)
{
	s64 done = 0;

	(void)t;
	(void)file;
	(void)pos;
	while (uio->left) {
		u8 bytes[256];
		size_t n = uio_take(uio, bytes, sizeof(bytes)), put_now = 0;

		if (!n)
			return done ? done : -EFAULT;
		while (put_now < n) {
			put_now += put(bytes + put_now, n - put_now);
			if (put_now < n)
				wait_block(&rt_loop, &changed, FIBER_FOREVER);
		}
		done += (s64)n;
	}
	return done;
}

static s64 console_read(struct vfs_task *t, struct file *file, struct uio *uio, s64 *pos)
{
	size_t n;

	(void)t;
	(void)pos;
	while (!ntyped) {
		int err;

		if (file->flags & O_NONBLOCK)
			return -EAGAIN;
		err = wait_block(&rt_loop, &changed, FIBER_FOREVER);
		if (err)
			return err;
	}
	n = uio_put(uio, typed, ntyped);
	ntyped -= n;
	memmove(typed, typed + n, ntyped);
	return (s64)n;
}

static u32 console_poll(struct file *file, struct poll_table *table)
{
	(void)file;
	poll_wait(table, &changed);
	return (ntyped ? POLLIN | POLLRDNORM : 0) | (used < RING_BYTES ? POLLOUT | POLLWRNORM : 0);
}

static const struct file_ops console_ops = {
	.read = console_read,
	.write = console_write,
	.poll = console_poll,
};

int console_open(struct vfs_task *task)
{
	for (int fd = 0; fd < 3; fd++) {
		struct file *file;
		int err =
			file_new_anon(task->vfs, "/dev/console", &console_ops, NULL, O_RDWR, &file);

		if (!err)
			err = fd_add(task, file, false);
		if (err < 0)
			return err;
	}
	return 0;
}

int console_init(struct vfs *vfs)
{
	int err = rt_channel_open(0, CONSOLE_SERVICE, NULL, &channel);

	(void)vfs;
	if (!err)
		err = rt_channel_send(channel, CONSOLE_LISTEN, NULL, 0, FIBER_FOREVER);
	if (!err)
		err = rt_fiber_start(send_all, NULL);
	if (!err)
		err = rt_fiber_start(receive_all, NULL);
	return err;
}
