/*
 * What a monitor does for the domains of its core: the one table of requests.
 *
 * A request is a local call to DOMAIN_SLOT_MONITOR with w0 = MON_* and its arguments in w1 to w4;
 * strings and structures lie at the start of the caller's call page (skerry/domain.h). The answer's
 * w0 is zero or a positive result, or a negative errno. No request waits for another core or
 * domain: what takes longer is told by a notice.
 *
 * Notices: the monitor raises domain_start.notices and rings the domain's doorbell; the domain asks
 * for them by MON_NOTICE until there are none. Each is about an object that the domain has (a
 * channel, a task), and none is lost or repeated.
 *
 * Errors that every request can return: -ENOSYS (no such request), -EINVAL (an argument out of
 * range, or an object that is not the caller's), -ENOMEM (memory or capability slots of this core
 * are used up, but for the monitor's reserve: nothing has changed).
 */
#ifndef SKERRY_MONITOR_H
#define SKERRY_MONITOR_H

#include <skerry/domain.h>

/* X(number, NAME, "arguments", "errors beside those above", "what it does") */
#define MONITOR_REQUESTS(X)                                                                        \
	X(0, PRINT, "bytes", "-EAGAIN: the console is full, try after DOMAIN_PRINT_RETRY_NS",      \
	  "print the text in the call page; lines are printed whole, cut at PRINT_MAX")            \
	X(1, ALLOC, "type: CAP_RAM, CAP_FRAME, CAP_TABLE; bytes", "",                              \
	  "give memory: w1 = handle, w2 = bytes (rounded up to a power of two); the capability "   \
	  "comes along with the answer. A frame holds zeros, or what nobody wrote")                \
	X(2, FREE, "handle", "", "take memory back: whatever derives from it is gone")             \
	X(3, SPAWN, "core, bytes of struct mon_spawn in the call page", "",                        \
	  "start a native program; returns a task; its start and its end come as notices. A "      \
	  "capability sent along is put into the program's DOMAIN_SLOT_GIFTS (same core only)")    \
	X(4, STOP, "task", "-ESRCH: not running", "end a task's program")                          \
	X(5, FORGET, "task", "-EBUSY: it still runs", "drop a task that has ended")                \
	X(6, LISTEN, "name in the call page", "-EEXIST: another domain of this core has it",       \
	  "take channels under this name; returns a service")                                      \
	X(7, OPEN, "core, struct mon_open in the call page", "",                                   \
	  "open a channel to a service of a core; returns the channel; NOTICE_CHANNEL tells")      \
	X(8, ATTACH, "channel, first of 3 empty slots",                                            \
	  "-EAGAIN: not established yet; -EEXIST: slot in use; -EALREADY",                         \
	  "put an established channel's capabilities there (CHANNEL_SLOT_*), w1 = peer's core, "   \
	  "w2 = bytes of a region, w3 = of its ring")                                              \
	X(9, CLOSE, "channel", "", "let go of a channel; its capabilities vanish")                 \
	X(10, NOTICE, "", "-EAGAIN: none", "returns NOTICE_*, w1 = object, w2 w3 = see there")     \
	X(11, POWEROFF, "status; or 0, restart: 1", "-EPERM: not the console's program",           \
	  "end the machine once the console is flushed, with `@exit code=status`, or start it "    \
	  "again after `@restart`")                                                                \
	X(12, CORE, "core", "", "w1 = apic id, w2 = node, w3 = socket, w4 = parent")               \
	X(13, MEMORY, "", "", "w1 = bytes free on this core, w2 = bytes that the caller holds")    \
	X(14, HALT_CORE, "core, how: HALT_*", "-EPERM: the command line has no faults=1",          \
	  "fault injection: stop a core's CPU driver without warning")                             \
	X(15, COUNTS, "first line, from 0", "-ENOENT: beyond the last",                            \
	  "the monitor's own message counts, as lines of struct domain_count in answer words: "    \
	  "w1 = core | class << 16, w2 = sent, w3 = received")                                     \
	X(16, AUTHORITY, "", "-EPERM: the command line has no tests=1",                            \
	  "for tests: the monitor's authority over its core, with the answer")                     \
	X(17, IMAGE, "", "-EPERM: not the console's program",                                      \
	  "the boot image, as a read-only frame with the answer; w1 = bytes")                      \
	X(18, NAME_REGISTER, "w1, w2 = what it stands for; name in the call page",                 \
	  "-EAGAIN; by notice: -EEXIST, -ENOSPC",                                                  \
	  "register a name for all cores; returns a number; NOTICE_AGREED tells. It goes with "    \
	  "the caller")                                                                            \
	X(19, NAME_UNREGISTER, "name in the call page", "-ENOENT: not the caller's",               \
	  "give a name back")                                                                      \
	X(20, NAME_LOOKUP, "name in the call page", "-ENOENT, -EAGAIN",                            \
	  "0: w1, w2 = what it stands for, w3 = the core that registered it; or a number: look "   \
	  "again when NOTICE_AGREED has come")                                                     \
	X(21, OBJECT, "OBJECT_*, object, key, value", "-EPERM: the command line has no faults=1",  \
	  "for tests: work on a replicated map of numbers (OBJECT_*)")                             \
	X(22, LIVE, "core", "", "w1 = whether it lives, as far as cores have agreed; w2 = epoch")  \
	X(23, BORROW, "bytes", "-EAGAIN; by notice: -ENOMEM, no core has them to spare",           \
	  "borrow memory of other cores, for frames (ALLOC) when its own is used up; returns a "   \
	  "number; NOTICE_AGREED tells. What is not used goes back by itself")                     \
	X(24, EXPORT, "handle of a frame", "-EALREADY",                                            \
	  "let programs of other cores map it: w1 = its address, by which they ask, w2 = bytes. "  \
	  "FREE is -EBUSY until it is revoked")                                                    \
	X(25, IMPORT, "core, address, bytes", "-EAGAIN, -EHOSTDOWN; by notice: -EPERM, -EAGAIN",   \
	  "ask for a frame that a program of another core exports; returns a number; "             \
	  "NOTICE_AGREED tells")                                                                   \
	X(26, IMPORTED, "number of IMPORT", "-ENOENT: not there, or taken back",                   \
	  "that frame, with the answer. It may be taken back at any time, and is then unmapped")   \
	X(27, REVOKE, "handle of an exported frame", "-EALREADY, -EAGAIN",                         \
	  "take it back: returns a number; when NOTICE_AGREED has come, no other core maps it")    \
	X(28, WATCH, "", "", "from now on NOTICE_CORES tells when other cores live than before")   \
	X(29, NODE, "node, other node", "",                                                        \
	  "w1 = bytes of memory of the node, w2 = distance to the other, w3 = nodes")

enum monitor_request {
#define X(number, name, args, errors, what) MON_##name = number,
	MONITOR_REQUESTS(X)
#undef X
		MON_COUNT
};

#define PRINT_MAX             1024u /* bytes of one line */
#define DOMAIN_PRINT_RETRY_NS 1000000ul

/* MON_SPAWN: where the program is in the image ("bin/x", or "x" for that), and its arguments. */
struct mon_spawn {
	u32 argc;
	u32 args_bytes;
	u32 priority; /* 0 for PRIORITY_DEFAULT; below the monitor's */
	u32 slots;    /* of its table of capabilities; a multiple of DOMAIN_SLOTS; 0: just that */
	char path[64];
	char args[DOMAIN_ARGS_MAX]; /* argc strings with their NULs; the first is the program's name
				     */
};

static_assert(sizeof(struct mon_spawn) <= PAGE_SIZE, "fits the call page");

/* MON_LISTEN, MON_OPEN. */
#define SERVICE_NAME_MAX 20u

struct mon_open {
	char name[SERVICE_NAME_MAX];
	u32 reserved;
	u64 ring_bytes; /* of each direction: a power of two, PAGE_SIZE or more; 0 for that */
	u64 bulk_bytes; /* of each direction, behind the ring; multiple of PAGE_SIZE, or 0 */
};

#define CHANNEL_BYTES_MAX (4 * MiB) /* ring and bulk of one direction */

/* MON_ATTACH: what comes into the three slots. */
#define CHANNEL_SLOT_TX   0u /* frame: what this side writes; memory of the peer's core */
#define CHANNEL_SLOT_RX   1u /* frame, read-only: what the peer writes */
#define CHANNEL_SLOT_BELL 2u /* the peer's doorbell */
#define CHANNEL_SLOTS     3u

/* MON_NAME_*: names have NAME_BYTES_MAX bytes with their NUL. */
#define NAME_BYTES_MAX 48u

/*
 * MON_OBJECT. Those marked with * return 0 or an error; the others a number, and NOTICE_AGREED
 * tells the result (lib/agree/agree.h).
 */
#define OBJECT_CREATE     0u /* * w1 = the new object, exclusive to this core */
#define OBJECT_SHARE      1u /* get a replica of it */
#define OBJECT_CHANGE     2u /* set a key to a value */
#define OBJECT_LEAVE      3u
#define OBJECT_DESTROY    4u
#define OBJECT_CHANGE_ALL 5u /* struct mon_parts in the call page: in all of them or in none */
#define OBJECT_READ       6u /* * w1 = the value of a key in this core's replica */
#define OBJECT_INFO       7u /* * w1 = changes applied, w2 = home, w3 = replicas, w4 = exclusive */

#define MON_PARTS         8u

struct mon_parts {
	u32 count;
	u32 key;
	u64 value;
	u64 object[MON_PARTS]; /* ascending */
};

/* Notices. */
#define NOTICE_CHANNEL 1 /* an opened channel: w2 = 0 or negative errno: -ENOENT, -ENOMEM, ... */
#define NOTICE_ACCEPT  2 /* a channel that another domain opened to service w2 */
#define NOTICE_HANGUP  3 /* the peer of an attached channel closed it, or died */
#define NOTICE_STARTED 4 /* a task: w2 = 0 or negative errno: -ENOENT, -ENOEXEC, ... */
#define NOTICE_ENDED   5 /* a task: w2 = DEATH_*, w3 = status, or vector of a fault */
#define NOTICE_CORES   7 /* other cores live than before: see LIVE */
#define NOTICE_AGREED  6 /* w1 = number of a request about what cores agree on, w2 = its result */

#endif
