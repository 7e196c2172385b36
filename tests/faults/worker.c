/* A worker of the fault tests: see faults.h. */
#include "faults.h"
#include <string.h>

static struct rt_channel *witness;
static u64 objects[OBJECTS];
static u64 key;
static u64 changes; /* begun */
static bool running;
static struct fiber_queue idle, stopped;
static bool changing;

u64 faults_sum(const u64 *ids)
{
	u64 sum = 0xcbf29ce484222325ul; /* FNV-1a, over words */

	for (u32 o = 0; o < OBJECTS; o++) {
		for (u32 k = 0; k < MAP_SLOTS; k++) {
			u64 value;

			if (rt_object_read(ids[o], k, &value))
				return 0; /* no replica here */
			sum = (sum ^ value) * 0x100000001b3ul;
		}
	}
	return sum;
}

static void tell(u16 type, u64 word0, u64 word1)
{
	u64 words[2] = {word0, word1};

	rt_channel_send(witness, type, words, sizeof(words), FIBER_FOREVER);
}

static s64 share_all(const struct msg *m)
{
	memcpy(objects, m->word, sizeof(objects));
	for (u32 o = 0; o < OBJECTS; o++) {
		s64 result = rt_object_do(OBJECT_SHARE, objects[o], 0, 0);

		if (result && result != -EEXIST)
			return result;
	}
	return 0;
}

static s64 change(u64 n)
{
	struct mon_parts parts = {.key = (u32)key, .value = n};
	u32 mask = faults_objects(n);

	for (u32 o = 0; o < OBJECTS; o++)
		if (mask >> o & 1)
			parts.object[parts.count++] = objects[o];
	if (parts.count == 1)
		return rt_object_do(OBJECT_CHANGE, parts.object[0], parts.key, n);
	return rt_object_change_all(&parts);
}

static void change_on(void *arg)
{
	(void)arg;
	for (;;) {
		while (!running)
			fiber_wait(&rt_loop, &idle, FIBER_FOREVER);
		changing = true;
		changes++;
		tell(FAULTS_ACKNOWLEDGED, changes, (u64)change(changes));
		changing = false;
		fiber_wake_all(&stopped);
	}
}

static void serve(const struct msg *m)
{
	u64 object;

	switch (m->type) {
	case FAULTS_CREATE:
		tell(FAULTS_CREATED, rt_object_create(&object) ? 0 : object, 0);
		break;
	case FAULTS_SHARE:
		tell(FAULTS_DONE, (u64)share_all(m), 0);
		break;
	case FAULTS_RUN:
		key = m->word[0];
		running = true;
		fiber_wake_all(&idle);
		break;
	case FAULTS_STOP:
		running = false;
		while (changing)
			fiber_wait(&rt_loop, &stopped, FIBER_FOREVER);
		tell(FAULTS_DONE, 0, 0);
		break;
	case FAULTS_READ:
		tell(FAULTS_DONE, faults_sum(objects), 0);
		break;
	default:
		break;
	}
}

int worker_main(void)
{
	u64 core = domain_start()->core;
	struct msg m;

	if (rt_channel_open(0, FAULTS_SERVICE, NULL, &witness) || rt_fiber_start(change_on, NULL))
		return 1;
	rt_channel_send(witness, FAULTS_HELLO, &core, sizeof(core), FIBER_FOREVER);
	while (rt_channel_receive(witness, &m, FIBER_FOREVER) == 0)
		serve(&m);
	return 0;
}
