/*
 * The console of Linux programs: the serial line, by the service "console" of the serial driver
 * (skerry/msg/console.h).
 *
 * A terminal (services/vfs/tty.c) with this as its driver: what it
 * sends goes into a ring, from which a fiber passes it on.
 * Runs in: the personality's domain.
 */
#include "console.h"

#include <errno.h>
#include <rt/rt.h>
#include <skerry/msg/console.h>
#include <string.h>
#include <vfs/tty.h>

#define RING_BYTES (16 * KiB)

static struct rt_channel *channel;
static u8 ring[RING_BYTES];
static size_t first, used;
static struct fiber_queue sender; /* waits for text */
static struct fiber_queue flushed;
static bool flush_done;
static struct tty *tty;
static struct winsize_abi size;

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
		tty_writable(tty);
	}
}

static void receive_all(void *arg)
{
	struct msg m;

	(void)arg;
	while (rt_channel_receive(channel, &m, FIBER_FOREVER) == 0) {
		const struct msg_text *text = (const struct msg_text *)m.payload;

		if (m.type == CONSOLE_TYPED) {
			tty_input(tty, (const u8 *)text->text, MIN(text->bytes, CONSOLE_CHUNK));
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

/* ---- the terminal ---- */

static size_t driver_write(void *arg, const u8 *bytes, size_t len)
{
	(void)arg;
	return put(bytes, len);
}

static size_t driver_room(void *arg)
{
	(void)arg;
	return RING_BYTES - used;
}

static size_t driver_pending(void *arg)
{
	(void)arg;
	return used;
}

static const struct tty_driver driver = {
	.name = "ttyS",
	.write = driver_write,
	.room = driver_room,
	.pending = driver_pending,
};

int console_open(struct vfs_task *task)
{
	int fd = vfs_openat(task, AT_FDCWD, "/dev/console", O_RDWR | O_NOCTTY, 0);

	if (fd == 0)
		fd = vfs_dup(task, 0);
	if (fd == 1)
		fd = vfs_dup(task, 0);
	return fd < 0 ? fd : 0;
}

void console_set_size(u32 rows, u32 cols)
{
	size = (struct winsize_abi){.rows = (u16)rows, .cols = (u16)cols};
}

int console_init(struct vfs *vfs)
{
	int err = rt_channel_open(0, CONSOLE_SERVICE, NULL, &channel);

	tty = tty_new_serial(vfs, 0, &driver, NULL);
	if (!err && !tty)
		err = -ENOMEM;
	if (!err)
		tty_set_console(vfs, tty);
	if (!err)
		tty_set_size(tty, &size);
	if (!err)
		err = rt_channel_send(channel, CONSOLE_LISTEN, NULL, 0, FIBER_FOREVER);
	if (!err)
		err = rt_fiber_start(send_all, NULL);
	if (!err)
		err = rt_fiber_start(receive_all, NULL);
	return err;
}
