/* See many.h. */
#include "many.h"
#include "peer.h"

int many_start(u32 core, struct rt_task *task)
{
	static const char *const argv[] = {"bin/messages", "many"};
	struct rt_spawn spawn = {.core = core, .argc = 2, .argv = argv};
	struct rt_channel *first;
	int err = rt_spawn(&spawn, task);

	if (err)
		return err;
	for (u32 n = 0; n < 1000; n++) {
		err = rt_channel_open(core, MANY_SERVICE, NULL, &first);
		if (err != -ENOENT)
			break;
		rt_sleep_ns(1000000);
	}
	if (!err)
		rt_channel_close(first);
	return err;
}

int many_main(void)
{
	static struct rt_channel *channels[MANY_CHANNELS];
	struct rt_channel *first;
	struct rt_listener service;
	struct msg m;
	int err = rt_listen(MANY_SERVICE, &service);

	if (!err) /* the one that many_start() tries with */
		err = rt_accept(&service, FIBER_FOREVER, &first);
	if (!err)
		rt_channel_close(first);
	for (u64 n = 0; n < MANY_CHANNELS && !err; n++) {
		err = rt_accept(&service, FIBER_FOREVER, &channels[n]);
		if (!err)
			err = rt_channel_send(channels[n], TEST_DATA, &n, sizeof(n), FIBER_FOREVER);
	}
	for (u64 n = 0; n < MANY_CHANNELS && !err; n++) {
		if (rt_channel_receive(channels[n], &m, FIBER_FOREVER) != -EPIPE)
			err = -EBADMSG;
		rt_channel_close(channels[n]);
	}
	return -err;
}
