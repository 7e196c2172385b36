/*
 * statmount(2), listmount(2), listns(2), ioctl_nsfs(2): mounts and namespaces by number.
 */
#include "place.h"

#include <sys/ioctl.h>
#include <sys/sysmacros.h>

#define GET_USERNS   0xb701
#define GET_PARENT   0xb702
#define GET_NSTYPE   0xb703
#define GET_OWNER    0xb704
#define GET_MNTNS_ID _IOR(0xb7, 5, uint64_t)
#define GET_ID       _IOR(0xb7, 13, uint64_t)
#define GET_INFO     _IOR(0xb7, 10, struct ns_info)
#define GET_NEXT     _IOR(0xb7, 11, struct ns_info)
#define GET_PREV     _IOR(0xb7, 12, struct ns_info)
#define LSMT_ROOT_   UINT64_MAX
#define BUFFER       4096

struct ns_info {
	uint32_t size, nr_mounts;
	uint64_t id;
};

struct request {
	uint32_t size, fd;
	uint64_t mnt_id, param, ns_id;
};

struct answer {
	uint32_t size, mnt_opts;
	uint64_t mask;
	uint32_t major, minor;
	uint64_t magic;
	uint32_t sb_flags, fs_type;
	uint64_t mnt_id, parent_id;
	uint32_t id_old, parent_old;
	uint64_t attr, propagation, peer_group, master, propagate_from;
	uint32_t root, point;
	uint64_t ns_id;
	uint32_t fs_subtype, source, opt_num, opt_array, sec_num, sec_array;
	uint64_t supported;
	uint32_t maps[4];
	uint64_t spare[43];
	char str[];
};

static union {
	struct answer a;
	char bytes[BUFFER];
} buffer;

static int statmount_(uint64_t id, uint64_t ns, uint64_t mask, size_t size)
{
	struct request r = {.size = sizeof(r), .mnt_id = id, .param = mask, .ns_id = ns};

	memset(&buffer, 0x55, sizeof(buffer));
	return (int)syscall(NR_statmount, &r, &buffer, size, 0);
}

static long listmount_(uint64_t id, uint64_t ns, uint64_t last, uint64_t *ids, size_t n,
		       unsigned flags)
{
	struct request r = {.size = sizeof(r), .mnt_id = id, .param = last, .ns_id = ns};

	return syscall(NR_listmount, &r, ids, n, flags);
}

static uint64_t id_of(const char *path)
{
	struct statx st;

	return statx(AT_FDCWD, path, 0, 0x4000, &st) ? 0 : st.stx_mnt_id;
}

static uint64_t ns_id(void)
{
	uint64_t id = 0;
	int fd = open("/proc/self/ns/mnt", O_RDONLY);

	CHECK(ioctl(fd, GET_MNTNS_ID, &id) == 0);
	close(fd);
	return id;
}

CASE(statx_tells_the_unique_number)
{
	uint64_t id;

	place();
	CHECK(tmpfs("a") == 0);
	id = id_of("a");
	CHECK(id > 1ul << 31 && id != id_of("b"));
	CHECK(umount("a") == 0 && tmpfs("a") == 0);
	CHECK(id_of("a") > id);
}

CASE(statmount_tells_the_basics)
{
	int id, parent;

	place();
	CHECK(mount("src", "a", "tmpfs", MS_NOSUID | MS_RDONLY, NULL) == 0);
	CHECK(sscanf(info_of("a"), "%d %d", &id, &parent) == 2);
	CHECK(statmount_(id_of("a"), 0, 3, BUFFER) == 0);
	CHECK(buffer.a.mask == 3 && buffer.a.size == sizeof(buffer.a));
	CHECK(buffer.a.mnt_id == id_of("a") && buffer.a.parent_id == id_of("b"));
	CHECK(buffer.a.id_old == (unsigned)id && buffer.a.parent_old == (unsigned)parent);
	CHECK(buffer.a.attr == (ATTR_RDONLY | ATTR_NOSUID));
	CHECK(buffer.a.propagation == MS_PRIVATE);
	CHECK(buffer.a.magic == 0x01021994 && buffer.a.sb_flags == 1);
}

CASE(statmount_tells_strings)
{
	place();
	CHECK(mkdir("a/in", 0755) == 0 && mount("src", "c", "tmpfs", 0, "size=64k") == 0);
	CHECK(bind_("a/in", "b", 0) == 0);
	CHECK(statmount_(id_of("b"), 0, 0x38, BUFFER) == 0);
	CHECK(buffer.a.mask == 0x38);
	CHECK(!strcmp(buffer.a.str + buffer.a.root, "/a/in"));
	CHECK(!strcmp(buffer.a.str + buffer.a.point, "/tmp/b"));
	CHECK(!strcmp(buffer.a.str + buffer.a.fs_type, "tmpfs"));
	CHECK(statmount_(id_of("c"), 0, 0x280, BUFFER) == 0);
	CHECK(!strcmp(buffer.a.str + buffer.a.source, "src"));
	CHECK(!strncmp(buffer.a.str + buffer.a.mnt_opts, "size=64k", 8));
}

CASE(statmount_tells_options_as_an_array)
{
	place();
	CHECK(mount("src", "c", "tmpfs", 0, "size=64k,uid=5") == 0);
	CHECK(statmount_(id_of("c"), 0, 0x400, BUFFER) == 0);
	CHECK(buffer.a.mask == 0x400 && buffer.a.opt_num == 3);
	CHECK(!strcmp(buffer.a.str + buffer.a.opt_array, "size=64k"));
	CHECK(!strcmp(buffer.a.str + buffer.a.opt_array + 9, "uid=5"));
}

CASE(statmount_tells_propagation)
{
	place();
	CHECK(tmpfs("a") == 0 && kind("a", MS_SHARED) == 0 && bind_("a", "b", 0) == 0);
	CHECK(kind("b", MS_SLAVE) == 0 && kind("b", MS_SHARED) == 0);
	CHECK(statmount_(id_of("b"), 0, 6, BUFFER) == 0);
	CHECK(buffer.a.propagation == (MS_SHARED | MS_SLAVE));
	CHECK(buffer.a.peer_group == (unsigned)number_after(info_of("b"), "shared:"));
	CHECK(buffer.a.master == (unsigned)number_after(info_of("a"), "shared:"));
	CHECK(buffer.a.propagate_from == buffer.a.master);
}

CASE(statmount_tells_the_namespace)
{
	place();
	CHECK(statmount_(id_of("a"), 0, 0x40, BUFFER) == 0);
	CHECK(buffer.a.mask == 0x40 && buffer.a.ns_id == ns_id());
}

CASE(statmount_with_too_little_room_is_eoverflow)
{
	place();
	CHECK_ERROR(statmount_(id_of("a"), 0, 0x38, sizeof(struct answer) + 4), EOVERFLOW);
	CHECK(statmount_(id_of("a"), 0, 3, 64) == 0);
}

CASE(statmount_of_bad_numbers)
{
	struct request r = {.size = 8};

	place();
	CHECK_ERROR(statmount_(0, 0, 3, BUFFER), EINVAL);
	CHECK_ERROR(statmount_(5, 0, 3, BUFFER), EINVAL);
	CHECK_ERROR(statmount_(1ul << 50, 0, 3, BUFFER), ENOENT);
	CHECK_ERROR(statmount_(id_of("a"), 1ul << 50, 3, BUFFER), ENOENT);
	CHECK_ERROR(syscall(NR_statmount, &r, &buffer, BUFFER, 0), EINVAL);
	CHECK_ERROR(syscall(NR_statmount, NULL, &buffer, BUFFER, 0), EFAULT);
	CHECK_ERROR(syscall(NR_statmount, &r, &buffer, BUFFER, 0x10), EINVAL);
}

CASE(statmount_outside_of_the_root_is_eperm)
{
	uint64_t outside;

	place();
	CHECK(tmpfs("a") == 0 && tmpfs("b") == 0);
	outside = id_of("b");
	CHECK(chroot("a") == 0 && chdir("/") == 0);
	CHECK(statmount_(outside, 0, 3, BUFFER) == 0);
	CHECK(statmount_(outside, 0, 0x10, BUFFER) == 0 && buffer.a.mask == 0);
	CHECK(setresuid(1000, 1000, 1000) == 0);
	CHECK_ERROR(statmount_(outside, 0, 3, BUFFER), EPERM);
}

CASE(listmount_lists_all_in_order)
{
	uint64_t ids[256];
	long n;

	place();
	CHECK(tmpfs("a") == 0 && tmpfs("b") == 0);
	n = listmount_(LSMT_ROOT_, 0, 0, ids, 256, 0);
	CHECK(n == count_mounts());
	for (long i = 1; i < n; i++)
		CHECK(ids[i - 1] < ids[i]);
	CHECK(ids[n - 1] == id_of("b") && ids[n - 2] == id_of("a"));
}

CASE(listmount_lists_backwards_and_in_pieces)
{
	uint64_t ids[256], one = 0;
	long n;

	place();
	CHECK(tmpfs("a") == 0 && tmpfs("b") == 0);
	n = listmount_(LSMT_ROOT_, 0, 0, ids, 256, 0);
	CHECK(listmount_(LSMT_ROOT_, 0, 0, &one, 1, 1) == 1 && one == ids[n - 1]);
	CHECK(listmount_(LSMT_ROOT_, 0, one, &one, 1, 1) == 1 && one == ids[n - 2]);
	CHECK(listmount_(LSMT_ROOT_, 0, ids[n - 3], &one, 1, 0) == 1 && one == ids[n - 2]);
	CHECK(listmount_(LSMT_ROOT_, 0, ids[n - 1], &one, 1, 0) == 0);
}

CASE(listmount_of_a_mount_lists_what_is_below)
{
	uint64_t ids[256];

	place();
	CHECK(tmpfs("a") == 0 && mkdir("a/s", 0755) == 0 && tmpfs("a/s") == 0 && tmpfs("b") == 0);
	CHECK(listmount_(id_of("a"), 0, 0, ids, 256, 0) == 1 && ids[0] == id_of("a/s"));
	CHECK(listmount_(id_of("b"), 0, 0, ids, 256, 0) == 0);
}

CASE(listmount_of_bad_arguments)
{
	uint64_t ids[4];

	place();
	CHECK_ERROR(listmount_(LSMT_ROOT_, 0, 0, ids, 4, 2), EINVAL);
	CHECK_ERROR(listmount_(LSMT_ROOT_, 0, 7, ids, 4, 0), EINVAL);
	CHECK_ERROR(listmount_(1ul << 50, 0, 0, ids, 4, 0), ENOENT);
	CHECK_ERROR(listmount_(LSMT_ROOT_, 0, 0, ids, 2000000, 0), EOVERFLOW);
	CHECK_ERROR(listmount_(LSMT_ROOT_, 1ul << 50, 0, ids, 4, 0), ENOENT);
}

CASE(mounts_of_another_namespace_are_listed_by_its_number)
{
	uint64_t ids[256], id;
	int fd;

	place();
	CHECK(tmpfs("a") == 0 && mkdir("a/s", 0755) == 0 && tmpfs("a/s") == 0);
	fd = open_tree_(AT_FDCWD, "a", OPEN_TREE_NAMESPACE_ | AT_RECURSIVE_);
	CHECK(ioctl(fd, GET_MNTNS_ID, &id) == 0 && id != ns_id());
	CHECK(listmount_(LSMT_ROOT_, id, 0, ids, 256, 0) == 2);
	CHECK(statmount_(ids[0], id, 0x10, BUFFER) == 0);
	CHECK(!strcmp(buffer.a.str + buffer.a.point, "/"));
	CHECK(statmount_(ids[1], id, 0x10, BUFFER) == 0);
	CHECK(!strcmp(buffer.a.str + buffer.a.point, "/s"));
	CHECK(statmount_(ids[0], id, 2, BUFFER) == 0 && buffer.a.mnt_id != buffer.a.parent_id);
	CHECK(setresuid(1000, 1000, 1000) == 0);
	CHECK_ERROR(listmount_(LSMT_ROOT_, id, 0, ids, 256, 0), ENOENT);
}

CASE(namespaces_file_tells_about_it)
{
	struct ns_info info = {0};
	uint64_t id = 0, ids[256];
	int fd;

	place();
	fd = open("/proc/self/ns/mnt", O_RDONLY);
	CHECK(ioctl(fd, GET_NSTYPE) == CLONE_NEWNS);
	CHECK(ioctl(fd, GET_INFO, &info) == 0 && info.size == sizeof(info));
	CHECK(info.id == ns_id());
	CHECK((long)info.nr_mounts == listmount_(LSMT_ROOT_, 0, 0, ids, 256, 0));
	CHECK(ioctl(fd, GET_ID, &id) == 0 && id == ns_id());
	CHECK_ERROR(ioctl(fd, GET_PARENT), EINVAL);
	CHECK_ERROR(ioctl(fd, GET_OWNER, &id), EINVAL);
	CHECK_ERROR(ioctl(fd, 0xb763), ENOTTY);
}

CASE(owner_of_a_namespace_is_a_user_namespace)
{
	int fd, user;

	place();
	fd = open("/proc/self/ns/mnt", O_RDONLY);
	user = ioctl(fd, GET_USERNS);
	CHECK(user >= 0 && ioctl(user, GET_NSTYPE) == CLONE_NEWUSER);
	CHECK_ERROR(ioctl(user, GET_MNTNS_ID, &user), EINVAL);
}

CASE(namespaces_are_walked_in_order)
{
	struct ns_info info = {0};
	int fd, next, back;
	uint64_t own;

	place();
	own = ns_id();
	fd = open("/proc/self/ns/mnt", O_RDONLY);
	CHECK(unshare(CLONE_NEWNS) == 0);
	next = ioctl(fd, GET_NEXT, &info);
	CHECK(next >= 0 && info.id == ns_id());
	back = ioctl(next, GET_PREV, &info);
	CHECK(back >= 0 && info.id == own);
	CHECK_ERROR(ioctl(next, GET_NEXT, &info), ENOENT);
}

CASE(listns_lists_namespaces_of_mounts)
{
	struct {
		uint32_t size, spare;
		uint64_t id;
		uint32_t type, spare2;
		uint64_t user;
	} r = {.size = 32, .type = CLONE_NEWNS};
	uint64_t ids[64];
	long n;

	place();
	n = syscall(NR_listns, &r, ids, 64, 0);
	CHECK(n >= 2 && ids[n - 1] == ns_id());
	for (long i = 1; i < n; i++)
		CHECK(ids[i - 1] < ids[i]);
	r.id = ids[n - 2];
	CHECK(syscall(NR_listns, &r, ids, 64, 0) == 1 && ids[0] == ns_id());
	CHECK_ERROR(syscall(NR_listns, &r, ids, 64, 1), EINVAL);
	r.type = 1;
	CHECK_ERROR(syscall(NR_listns, &r, ids, 64, 0), EINVAL);
}
