/*
 * Opening, reading, writing, attributes: open(2), read(2), write(2), stat(2), chmod(2) ...
 */
#include "world.h"

#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/mman.h>
#include <unistd.h>

static struct world w;
static struct vfs_task *const t = &w.task;

static int op(const char *path, int flags)
{
	return vfs_openat(t, AT_FDCWD, path, flags, 0644);
}

static void begin(void)
{
	world_begin(&w);
	mkdir_at(t, "/d");
	make_file(t, "/f", "0123456789");
}

TEST(open_errors_of_flags)
{
	begin();
	vfs_symlinkat(t, "f", AT_FDCWD, "/l");
	vfs_symlinkat(t, "made", AT_FDCWD, "/tomake");
	CHECK_EQUAL(op("/nothing", O_RDONLY), -ENOENT);
	CHECK_EQUAL(op("/f", O_CREAT | O_EXCL), -EEXIST);
	CHECK_EQUAL(op("/l", O_CREAT | O_EXCL), -EEXIST);
	CHECK_EQUAL(op("/l", O_NOFOLLOW), -ELOOP);
	CHECK_EQUAL(op("/f", O_DIRECTORY), -ENOTDIR);
	CHECK_EQUAL(op("/d", O_WRONLY), -EISDIR);
	CHECK_EQUAL(op("/d", O_CREAT), -EISDIR);
	CHECK_EQUAL(op("/x/", O_CREAT), -EISDIR);
	CHECK_EQUAL(op("/x", O_CREAT | O_DIRECTORY), -EINVAL);
	CHECK(op("/tomake", O_CREAT | O_WRONLY) >= 0);
	CHECK_EQUAL(mode_of(t, "/made"), S_IFREG | 0644);
	world_end(&w);
}

TEST(open_checks_permission_but_not_of_what_it_makes)
{
	struct vfs_task user;
	int fd;

	begin();
	vfs_fchmodat2(t, AT_FDCWD, "/d", 0777, 0);
	world_task(&w, &user, 5, 1000);
	CHECK_EQUAL(vfs_openat(&user, AT_FDCWD, "/f", O_RDWR, 0), -EACCES);
	CHECK_EQUAL(vfs_openat(&user, AT_FDCWD, "/new", O_CREAT | O_RDWR, 0600), -EACCES);
	fd = vfs_openat(&user, AT_FDCWD, "/d/new", O_CREAT | O_RDWR, 0);
	CHECK(fd >= 0);
	CHECK_EQUAL(put(&user, fd, "x"), 1);
	CHECK_EQUAL(vfs_openat(&user, AT_FDCWD, "/d/new", O_RDONLY, 0), -EACCES);
	world_task_end(&user);
	world_end(&w);
}

TEST(groups_count_for_permission)
{
	static const u32 groups[] = {7, 50, 99};
	struct vfs_task user;
	int fd;

	begin();
	vfs_fchownat(t, AT_FDCWD, "/f", 0, 50, 0);
	vfs_fchmodat2(t, AT_FDCWD, "/f", 0640, 0);
	world_task(&w, &user, 5, 1000);
	CHECK_EQUAL(vfs_openat(&user, AT_FDCWD, "/f", O_RDONLY, 0), -EACCES);
	user.cred.groups = groups;
	user.cred.ngroups = 3;
	fd = vfs_openat(&user, AT_FDCWD, "/f", O_RDONLY, 0);
	CHECK(fd >= 0);
	world_task_end(&user);
	world_end(&w);
}

TEST(o_path_is_a_place_only)
{
	struct vfs_stat st;
	char buf[4];
	int fd;

	begin();
	fd = op("/f", O_PATH);
	CHECK_EQUAL(get(t, fd, buf, sizeof(buf)), -EBADF);
	CHECK_EQUAL(vfs_fchmod(t, fd, 0), -EBADF);
	CHECK_EQUAL(vfs_fcntl(t, fd, F_GETFL, 0), O_PATH);
	CHECK_EQUAL(vfs_fstat(t, fd, &st), 0);
	CHECK_EQUAL(st.size, 10);
	vfs_symlinkat(t, "f", AT_FDCWD, "/l");
	fd = op("/l", O_PATH | O_NOFOLLOW);
	CHECK_EQUAL(vfs_fstat(t, fd, &st), 0);
	CHECK_EQUAL(st.mode & S_IFMT, S_IFLNK);
	world_end(&w);
}

TEST(access_mode_bounds_reading_and_writing)
{
	char buf[4];
	int fd;

	begin();
	fd = op("/f", O_WRONLY);
	CHECK_EQUAL(get(t, fd, buf, sizeof(buf)), -EBADF);
	fd = op("/f", O_RDONLY);
	CHECK_EQUAL(put(t, fd, "x"), -EBADF);
	CHECK_EQUAL(get(t, op("/d", O_RDONLY), buf, sizeof(buf)), -EISDIR);
	world_end(&w);
}

TEST(append_writes_at_the_end_whatever_the_position)
{
	int fd;

	begin();
	fd = op("/f", O_WRONLY | O_APPEND);
	vfs_lseek(t, fd, 2, SEEK_SET);
	CHECK_EQUAL(put(t, fd, "ab"), 2);
	CHECK_EQUAL(vfs_lseek(t, fd, 0, SEEK_CUR), 12);
	CHECK_STRING(contents(t, "/f"), "0123456789ab");
	world_end(&w);
}

TEST(positioned_calls_leave_the_position)
{
	struct uio uio;
	char buf[8] = "";
	int fd, p[2];

	begin();
	fd = op("/f", O_RDWR);
	uio_kernel(&uio, buf, 3);
	CHECK_EQUAL(vfs_pread(t, fd, &uio, 4, 0), 3);
	CHECK_STRING(buf, "456");
	uio_kernel(&uio, "XY", 2);
	CHECK_EQUAL(vfs_pwrite(t, fd, &uio, 8, 0), 2);
	CHECK_EQUAL(vfs_lseek(t, fd, 0, SEEK_CUR), 0);
	CHECK_STRING(contents(t, "/f"), "01234567XY");
	uio_kernel(&uio, buf, 3);
	CHECK_EQUAL(vfs_pread(t, fd, &uio, -1, 0), -EINVAL);
	CHECK_EQUAL(vfs_pread(t, fd, &uio, 0, 0x80000), -EOPNOTSUPP);
	vfs_pipe2(t, p, 0);
	CHECK_EQUAL(vfs_pread(t, p[0], &uio, 0, 0), -ESPIPE);
	CHECK_EQUAL(vfs_lseek(t, p[0], 0, SEEK_SET), -ESPIPE);
	world_end(&w);
}

TEST(seek_finds_data_and_holes)
{
	struct uio uio;
	int fd;

	begin();
	fd = op("/s", O_RDWR | O_CREAT);
	uio_kernel(&uio, "x", 1);
	CHECK_EQUAL(vfs_pwrite(t, fd, &uio, 3 * 4096 + 5, 0), 1);
	CHECK_EQUAL(vfs_lseek(t, fd, 0, SEEK_DATA), 3 * 4096);
	CHECK_EQUAL(vfs_lseek(t, fd, 3 * 4096 + 2, SEEK_DATA), 3 * 4096 + 2);
	CHECK_EQUAL(vfs_lseek(t, fd, 10, SEEK_HOLE), 10);
	CHECK_EQUAL(vfs_lseek(t, fd, 3 * 4096, SEEK_HOLE), 3 * 4096 + 6);
	CHECK_EQUAL(vfs_lseek(t, fd, 3 * 4096 + 6, SEEK_DATA), -ENXIO);
	CHECK_EQUAL(vfs_lseek(t, fd, -1, SEEK_SET), -EINVAL);
	CHECK_EQUAL(vfs_lseek(t, fd, 0, 99), -EINVAL);
	world_end(&w);
}

TEST(truncate_cuts_and_grows_with_zeros)
{
	struct vfs_stat st;
	int fd;

	begin();
	CHECK_EQUAL(vfs_truncate(t, "/f", 3), 0);
	CHECK_EQUAL(vfs_truncate(t, "/f", 5), 0);
	fd = op("/f", O_RDWR);
	CHECK_EQUAL(vfs_fstat(t, fd, &st), 0);
	CHECK_EQUAL(st.size, 5);
	CHECK(memcmp(contents(t, "/f"), "012\0\0", 5) == 0);
	CHECK_EQUAL(vfs_truncate(t, "/d", 0), -EISDIR);
	CHECK_EQUAL(vfs_truncate(t, "/f", -1), -EINVAL);
	CHECK_EQUAL(vfs_ftruncate(t, op("/f", O_RDONLY), 0), -EINVAL);
	world_end(&w);
}

TEST(fallocate_gives_and_punches)
{
	struct vfs_stat st;
	int fd;

	begin();
	fd = op("/s", O_RDWR | O_CREAT);
	CHECK_EQUAL(vfs_fallocate(t, fd, 0, 0, 3 * 4096), 0);
	vfs_fstat(t, fd, &st);
	CHECK_EQUAL(st.size, 3 * 4096);
	CHECK_EQUAL(st.blocks, 24);
	CHECK_EQUAL(vfs_fallocate(t, fd, 3, 4096, 4096), 0);
	vfs_fstat(t, fd, &st);
	CHECK_EQUAL(st.blocks, 16);
	CHECK_EQUAL(vfs_fallocate(t, fd, 1, 0, 5 * 4096), 0);
	vfs_fstat(t, fd, &st);
	CHECK_EQUAL(st.size, 3 * 4096);
	CHECK_EQUAL(st.blocks, 40);
	CHECK_EQUAL(vfs_fallocate(t, fd, 2, 0, 4096), -EOPNOTSUPP);
	CHECK_EQUAL(vfs_fallocate(t, fd, 0, 0, 0), -EINVAL);
	CHECK_EQUAL(vfs_fallocate(t, fd, 0, 0, 1l << 40), -ENOSPC);
	world_end(&w);
}

TEST(file_size_limit_gives_sigxfsz)
{
	int fd;

	begin();
	t->fsize_limit = 12;
	fd = op("/f", O_WRONLY | O_APPEND);
	CHECK_EQUAL(put(t, fd, "abcdef"), 2);
	CHECK_EQUAL(put(t, fd, "x"), -EFBIG);
	CHECK_EQUAL(w.task_signal, SIGXFSZ);
	world_end(&w);
}

/* A caller's memory of which only the first 5,000 bytes are there. */
static size_t copy_or_fault(struct uio *uio, void *kernel, size_t len, bool in)
{
	size_t good = uio->done < 5000 ? MIN(len, 5000 - uio->done) : 0;

	memset(kernel, 'u', in ? good : 0);
	return good;
}

TEST(bad_address_stops_a_call_after_what_was_good)
{
	struct uio uio = {.left = 10000, .copy = copy_or_fault};
	struct vfs_stat st;
	int fd, p[2];

	begin();
	fd = op("/s", O_RDWR | O_CREAT);
	CHECK_EQUAL(vfs_write(t, fd, &uio), 5000);
	uio = (struct uio){.left = 10, .done = 5000, .copy = copy_or_fault};
	CHECK_EQUAL(vfs_write(t, fd, &uio), -EFAULT);
	vfs_fstat(t, fd, &st);
	CHECK_EQUAL(st.size, 5000);
	vfs_ftruncate(t, fd, 9000);
	vfs_lseek(t, fd, 0, SEEK_SET);
	uio = (struct uio){.left = 10000, .copy = copy_or_fault};
	CHECK_EQUAL(vfs_read(t, fd, &uio), 5000);
	CHECK_EQUAL(vfs_lseek(t, fd, 0, SEEK_CUR), 5000);
	vfs_pipe2(t, p, 0);
	uio = (struct uio){.left = 10000, .copy = copy_or_fault};
	CHECK_EQUAL(vfs_write(t, p[1], &uio), 5000);
	uio = (struct uio){.left = 10, .done = 5000, .copy = copy_or_fault};
	CHECK_EQUAL(vfs_read(t, p[0], &uio), -EFAULT);
	world_end(&w);
}

TEST(writing_takes_set_id_bits_away)
{
	struct vfs_task user;
	int fd;

	begin();
	world_task(&w, &user, 5, 1000);
	vfs_fchmodat2(t, AT_FDCWD, "/f", 06777, 0);
	fd = vfs_openat(&user, AT_FDCWD, "/f", O_WRONLY, 0);
	CHECK_EQUAL(put(&user, fd, "x"), 1);
	CHECK_EQUAL(mode_of(t, "/f"), S_IFREG | 0777);
	vfs_fchmodat2(t, AT_FDCWD, "/f", 06777, 0);
	CHECK_EQUAL(vfs_fchownat(t, AT_FDCWD, "/f", 1, 1, 0), 0);
	CHECK_EQUAL(mode_of(t, "/f"), S_IFREG | 0777);
	world_task_end(&user);
	world_end(&w);
}

TEST(chmod_and_chown_are_for_owners)
{
	struct vfs_task user;

	begin();
	world_task(&w, &user, 5, 1000);
	CHECK_EQUAL(vfs_fchmodat2(&user, AT_FDCWD, "/f", 0666, 0), -EPERM);
	CHECK_EQUAL(vfs_fchownat(&user, AT_FDCWD, "/f", 1000, -1, 0), -EPERM);
	vfs_fchownat(t, AT_FDCWD, "/f", 1000, 1000, 0);
	CHECK_EQUAL(vfs_fchmodat2(&user, AT_FDCWD, "/f", 0666, 0), 0);
	CHECK_EQUAL(vfs_fchownat(&user, AT_FDCWD, "/f", -1, 0, 0), -EPERM);
	CHECK_EQUAL(vfs_fchownat(&user, AT_FDCWD, "/f", 1000, 1000, 0), 0);
	vfs_symlinkat(t, "f", AT_FDCWD, "/l");
	CHECK_EQUAL(vfs_fchmodat2(t, AT_FDCWD, "/l", 0, AT_SYMLINK_NOFOLLOW), -EOPNOTSUPP);
	world_task_end(&user);
	world_end(&w);
}

TEST(utimensat_sets_omits_and_checks)
{
	struct vfs_time times[2] = {{5, 6}, {7, UTIME_OMIT}};
	struct vfs_task user;
	struct vfs_stat st, was;

	begin();
	vfs_statat(t, AT_FDCWD, "/f", 0, &was);
	CHECK_EQUAL(vfs_utimensat(t, AT_FDCWD, "/f", times, 0), 0);
	vfs_statat(t, AT_FDCWD, "/f", 0, &st);
	CHECK_EQUAL(st.atime.sec, 5);
	CHECK_EQUAL(st.atime.nsec, 6);
	CHECK_EQUAL(st.mtime.nsec, was.mtime.nsec);
	times[0].nsec = 1000000000;
	CHECK_EQUAL(vfs_utimensat(t, AT_FDCWD, "/f", times, 0), -EINVAL);
	world_task(&w, &user, 5, 1000);
	CHECK_EQUAL(vfs_utimensat(&user, AT_FDCWD, "/f", NULL, 0), -EACCES);
	vfs_fchmodat2(t, AT_FDCWD, "/f", 0666, 0);
	CHECK_EQUAL(vfs_utimensat(&user, AT_FDCWD, "/f", NULL, 0), 0);
	times[0].nsec = 0;
	CHECK_EQUAL(vfs_utimensat(&user, AT_FDCWD, "/f", times, 0), -EPERM);
	world_task_end(&user);
	world_end(&w);
}

TEST(access_uses_the_real_ids)
{
	begin();
	vfs_fchmodat2(t, AT_FDCWD, "/f", 0600, 0);
	t->cred.uid = 1000;
	CHECK_EQUAL(vfs_faccessat2(t, AT_FDCWD, "/f", R_OK, 0), -EACCES);
	CHECK_EQUAL(vfs_faccessat2(t, AT_FDCWD, "/f", R_OK, AT_EACCESS), 0);
	CHECK_EQUAL(vfs_faccessat2(t, AT_FDCWD, "/f", F_OK, 0), 0);
	CHECK_EQUAL(vfs_faccessat2(t, AT_FDCWD, "/f", 8, 0), -EINVAL);
	t->cred.uid = 0;
	CHECK_EQUAL(vfs_faccessat2(t, AT_FDCWD, "/f", X_OK, 0), -EACCES);
	world_end(&w);
}

TEST(running_program_is_not_written_and_written_file_not_run)
{
	struct file *exe;
	int fd;

	begin();
	vfs_fchmodat2(t, AT_FDCWD, "/f", 0755, 0);
	REQUIRE(vfs_open_exec(t, AT_FDCWD, "/f", 0, &exe) == 0);
	CHECK_EQUAL(op("/f", O_WRONLY), -ETXTBSY);
	CHECK_EQUAL(vfs_truncate(t, "/f", 0), -ETXTBSY);
	file_put_exec(exe);
	fd = op("/f", O_WRONLY);
	CHECK(fd >= 0);
	CHECK_EQUAL(vfs_open_exec(t, AT_FDCWD, "/f", 0, &exe), -ETXTBSY);
	vfs_close(t, fd);
	CHECK_EQUAL(vfs_open_exec(t, AT_FDCWD, "/d", 0, &exe), -EACCES);
	vfs_fchmodat2(t, AT_FDCWD, "/f", 0644, 0);
	CHECK_EQUAL(vfs_open_exec(t, AT_FDCWD, "/f", 0, &exe), -EACCES);
	world_end(&w);
}

TEST(sendfile_and_copy_file_range_copy)
{
	s64 offset = 2, from = 0, to = 4;
	int in, out;

	begin();
	in = op("/f", O_RDONLY);
	out = op("/g", O_RDWR | O_CREAT);
	CHECK_EQUAL(vfs_sendfile(t, out, in, &offset, 5), 5);
	CHECK_EQUAL(offset, 7);
	CHECK_STRING(contents(t, "/g"), "23456");
	CHECK_EQUAL(vfs_sendfile(t, out, in, NULL, 100), 10);
	CHECK_STRING(contents(t, "/g"), "234560123456789");
	CHECK_EQUAL(vfs_copy_file_range(t, in, &from, out, &to, 3, 0), 3);
	CHECK_STRING(contents(t, "/g"), "234501223456789");
	CHECK_EQUAL(vfs_copy_file_range(t, out, &from, out, &from, 3, 0), -EINVAL);
	CHECK_EQUAL(vfs_copy_file_range(t, in, &from, out, &to, 3, 1), -EINVAL);
	CHECK_EQUAL(vfs_sendfile(t, in, in, NULL, 1), -EBADF);
	world_end(&w);
}

TEST(page_of_a_file_is_the_same_for_read_and_mapping)
{
	struct page *page;
	struct file *file;
	int fd;

	begin();
	fd = op("/f", O_RDWR);
	file = fd_get(t, fd);
	CHECK_EQUAL(file_check_mmap(t, file, true, PROT_READ | PROT_WRITE), 0);
	REQUIRE(file_page(file, 0, true, &page) == 0);
	memcpy(page->data, "mapped", 6);
	CHECK_STRING(contents(t, "/f"), "mapped6789");
	CHECK_EQUAL(file_page(file, 1, false, &page), -ERANGE);
	page_put(w.vfs, page);
	file->inode->mapping = &w;
	CHECK_EQUAL(vfs_ftruncate(t, fd, 0), 0);
	CHECK(w.unmapped == file->inode);
	file->inode->mapping = NULL;
	file_put(file);
	world_end(&w);
}

TEST(what_a_mapping_wrote_behind_the_end_is_not_read)
{
	struct page *page;
	struct file *file;
	struct uio uio;
	int fd;

	begin();
	fd = op("/f", O_RDWR);
	file = fd_get(t, fd);
	REQUIRE(file_page(file, 0, true, &page) == 0);
	memcpy((char *)page->data + 10, "junk", 4);
	page_put(w.vfs, page);
	uio_kernel(&uio, "E", 1);
	CHECK_EQUAL(vfs_pwrite(t, fd, &uio, 20, 0), 1);
	CHECK(memcmp(contents(t, "/f"), "0123456789\0\0\0\0\0\0\0\0\0\0E", 21) == 0);
	file_put(file);
	world_end(&w);
}

TEST(descriptors_are_the_lowest_free)
{
	int a, b;

	begin();
	a = op("/f", O_RDONLY);
	b = op("/f", O_RDONLY);
	CHECK_EQUAL(a, 0);
	CHECK_EQUAL(b, 1);
	CHECK_EQUAL(vfs_dup(t, a), 2);
	CHECK_EQUAL(vfs_close(t, 0), 0);
	CHECK_EQUAL(vfs_close(t, 0), -EBADF);
	CHECK_EQUAL(vfs_fcntl(t, 1, F_DUPFD, 10), 10);
	CHECK_EQUAL(vfs_dup(t, 1), 0);
	CHECK_EQUAL(vfs_dup2(t, 1, 200), 200);
	CHECK_EQUAL(vfs_dup2(t, 1, 1), 1);
	CHECK_EQUAL(vfs_dup2(t, 99, 99), -EBADF);
	CHECK_EQUAL(vfs_dup3(t, 1, 1, 0), -EINVAL);
	CHECK_EQUAL(vfs_dup2(t, 1, 5000), -EBADF);
	world_end(&w);
}

TEST(descriptor_limit_is_emfile)
{
	begin();
	t->nofile_limit = 3;
	CHECK_EQUAL(op("/f", O_RDONLY), 0);
	CHECK_EQUAL(op("/f", O_RDONLY), 1);
	CHECK_EQUAL(op("/f", O_RDONLY), 2);
	CHECK_EQUAL(op("/f", O_RDONLY), -EMFILE);
	CHECK_EQUAL(op("/notmade", O_CREAT), -EMFILE);
	CHECK_EQUAL(mode_of(t, "/notmade"), 0);
	CHECK_EQUAL(vfs_fcntl(t, 0, F_DUPFD, 3), -EINVAL);
	world_end(&w);
}

TEST(close_on_exec_closes_at_exec)
{
	begin();
	op("/f", O_RDONLY | O_CLOEXEC);
	op("/f", O_RDONLY);
	CHECK_EQUAL(vfs_fcntl(t, 0, F_GETFD, 0), FD_CLOEXEC);
	CHECK_EQUAL(vfs_fcntl(t, 1, F_GETFD, 0), 0);
	vfs_fcntl(t, vfs_dup(t, 0), F_SETFD, FD_CLOEXEC);
	fd_table_exec(t);
	CHECK_EQUAL(fd_next(t->files, 0), 1);
	CHECK_EQUAL(fd_next(t->files, 2), -1);
	world_end(&w);
}

TEST(close_range_closes_or_marks)
{
	begin();
	for (int i = 0; i < 6; i++)
		op("/f", O_RDONLY);
	CHECK_EQUAL(vfs_close_range(t, 4, 5, 4), 0);
	CHECK_EQUAL(vfs_fcntl(t, 5, F_GETFD, 0), FD_CLOEXEC);
	CHECK_EQUAL(vfs_close_range(t, 1, 3, 0), 0);
	CHECK_EQUAL(fd_next(t->files, 1), 4);
	CHECK_EQUAL(vfs_close_range(t, 3, 1, 0), -EINVAL);
	CHECK_EQUAL(vfs_close_range(t, 0, ~0u, 0), 0);
	CHECK_EQUAL(fd_next(t->files, 0), -1);
	world_end(&w);
}

TEST(copied_table_shares_positions)
{
	struct vfs_task child;
	char buf[4];

	begin();
	op("/f", O_RDONLY);
	world_task(&w, &child, 9, 0);
	CHECK_EQUAL(get(&child, 0, buf, sizeof(buf)), 3);
	CHECK_EQUAL(get(t, 0, buf, sizeof(buf)), 3);
	CHECK_STRING(buf, "345");
	vfs_close(&child, 0);
	CHECK_EQUAL(get(t, 0, buf, sizeof(buf)), 3);
	world_task_end(&child);
	world_end(&w);
}

TEST(setfl_changes_what_may_change)
{
	begin();
	op("/f", O_RDWR);
	CHECK_EQUAL(vfs_fcntl(t, 0, F_GETFL, 0), O_RDWR | VFS_O_LARGEFILE);
	CHECK_EQUAL(vfs_fcntl(t, 0, F_SETFL, O_APPEND | O_NONBLOCK | O_WRONLY), 0);
	CHECK_EQUAL(vfs_fcntl(t, 0, F_GETFL, 0), O_RDWR | O_APPEND | O_NONBLOCK | VFS_O_LARGEFILE);
	CHECK_EQUAL(vfs_fcntl(t, 0, 9999, 0), -EINVAL);
	world_end(&w);
}

TEST(relatime_moves_atime_once_after_a_change)
{
	struct vfs_stat a, b, c;

	begin();
	CHECK_EQUAL(vfs_mount(t, "/", "/", NULL, MS_REMOUNT | MS_BIND | MS_RELATIME, NULL), 0);
	contents(t, "/f");
	vfs_statat(t, AT_FDCWD, "/f", 0, &a);
	contents(t, "/f");
	vfs_statat(t, AT_FDCWD, "/f", 0, &b);
	CHECK_EQUAL(a.atime.nsec, b.atime.nsec);
	make_file(t, "/f", "changed");
	contents(t, "/f");
	vfs_statat(t, AT_FDCWD, "/f", 0, &c);
	CHECK(c.atime.nsec > b.atime.nsec);
	world_end(&w);
}
