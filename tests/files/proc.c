/* /proc and /sys: what programs read there. */
#include "check.h"
#include "scratch.h"

#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

static char buf[65536];

/* The text of a file, however long; "" if it cannot be read. */
static const char *whole(const char *path)
{
	int fd = open(path, O_RDONLY);
	size_t n = 0;
	ssize_t got = 0;

	while (fd >= 0 && n < sizeof(buf) - 1 && (got = read(fd, buf + n, sizeof(buf) - 1 - n)) > 0)
		n += (size_t)got;
	buf[n] = 0;
	if (fd >= 0)
		close(fd);
	return buf;
}

static const char *value_of(const char *path, const char *key)
{
	static char line[4096];

	line_of(path, key, line, sizeof(line));
	return line[0] ? line + strlen(key) : "";
}

CASE(self_is_a_link_to_the_own_process)
{
	char name[32], want[32];
	ssize_t n = readlink("/proc/self", name, sizeof(name) - 1);

	CHECK(n > 0);
	name[n] = 0;
	snprintf(want, sizeof(want), "%d", getpid());
	CHECK(!strcmp(name, want));
	n = readlink("/proc/thread-self", name, sizeof(name) - 1);
	CHECK(n > 0 && memmem(name, (size_t)n, "/task/", 6));
}

CASE(stat_has_52_fields)
{
	char state, comm[32];
	int pid, ppid, pgrp, fields = 0;

	CHECK(sscanf(whole("/proc/self/stat"), "%d (%31[^)]) %c %d %d", &pid, comm, &state, &ppid,
		     &pgrp) == 5);
	CHECK(pid == getpid() && ppid == getppid() && pgrp == getpgrp() && state == 'R');
	for (char *s = strchr(buf, ')'); s; s = strchr(s + 1, ' '))
		fields++;
	CHECK(fields == 51);
}

CASE(status_tells_ids_memory_and_signals)
{
	unsigned ids[4];

	CHECK(atoi(value_of("/proc/self/status", "Pid:")) == getpid());
	CHECK(sscanf(value_of("/proc/self/status", "Uid:"), "%u %u %u %u", ids, ids + 1, ids + 2,
		     ids + 3) == 4);
	CHECK(ids[0] == getuid() && ids[3] == geteuid());
	CHECK(atol(value_of("/proc/self/status", "VmRSS:")) > 0);
	CHECK(atol(value_of("/proc/self/status", "VmSize:")) > 0);
	CHECK(atoi(value_of("/proc/self/status", "Threads:")) == 1);
	signal(SIGUSR1, SIG_IGN);
	CHECK(strtoul(value_of("/proc/self/status", "SigIgn:"), NULL, 16) & 1ul << (SIGUSR1 - 1));
	CHECK(*value_of("/proc/self/status", "Cpus_allowed_list:"));
	CHECK(*value_of("/proc/self/status", "voluntary_ctxt_switches:"));
	CHECK(*value_of("/proc/self/status", "FDSize:"));
}

CASE(statm_counts_pages)
{
	unsigned long size, resident, shared;

	CHECK(sscanf(whole("/proc/self/statm"), "%lu %lu %lu", &size, &resident, &shared) == 3);
	CHECK(size >= resident && resident >= shared && resident > 0);
}

CASE(maps_show_what_is_mapped)
{
	char want[64], *map;

	map = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	mprotect(map + 4096, 4096, PROT_NONE);
	snprintf(want, sizeof(want), "%08lx ---p 00000000 00:00 0", (unsigned long)map + 8192);
	CHECK(strstr(whole("/proc/self/maps"), want));
	CHECK(strstr(buf, "[stack]") && strstr(buf, "r-xp"));
	CHECK(strstr(buf, "/files-proc") || strstr(buf, "/t-proc"));
}

CASE(smaps_add_up)
{
	long rss = 0, rollup;
	char line[512];
	FILE *f = fopen("/proc/self/smaps", "r");

	CHECK(f != NULL);
	while (fgets(line, sizeof(line), f))
		if (!strncmp(line, "Rss:", 4))
			rss += atol(line + 4);
	rollup = atol(value_of("/proc/self/smaps_rollup", "Rss:"));
	CHECK(rss > 0 && rollup > 0 && labs(rss - rollup) < 200);
}

CASE(cmdline_and_environ_have_nuls)
{
	int fd = open("/proc/self/cmdline", O_RDONLY);
	ssize_t n = read(fd, buf, sizeof(buf));

	CHECK(n > 1 && buf[n - 1] == 0);
	CHECK(strstr(buf, "proc"));
	CHECK(open("/proc/self/environ", O_RDONLY) >= 0);
}

CASE(comm_is_read_and_set)
{
	int fd = open("/proc/self/comm", O_RDWR);

	CHECK(write(fd, "renamed-thing-too-long", 22) == 22);
	CHECK(!strcmp(whole("/proc/self/comm"), "renamed-thing-t\n"));
}

CASE(exe_cwd_and_root_are_places)
{
	char cwd[300];
	ssize_t n;

	scratch();
	n = readlink("/proc/self/cwd", buf, sizeof(buf));
	CHECK(getcwd(cwd, sizeof(cwd)) && n == (ssize_t)strlen(cwd) &&
	      !memcmp(buf, cwd, (size_t)n));
	CHECK(readlink("/proc/self/root", buf, sizeof(buf)) == 1 && buf[0] == '/');
	n = readlink("/proc/self/exe", buf, sizeof(buf));
	CHECK(n > 0 && memmem(buf, (size_t)n, "proc", 4));
	make("f", "x");
	CHECK(access("/proc/self/cwd/f", F_OK) == 0);
}

CASE(fd_lists_descriptors)
{
	int fd = open("/dev/null", O_WRONLY), n = 0;
	char name[64];
	struct stat st;
	struct dirent *e;
	DIR *dir = opendir("/proc/self/fd");

	while ((e = readdir(dir)))
		n += atoi(e->d_name) == fd && e->d_name[0] != '.';
	CHECK(n == 1);
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	CHECK(readlink(name, buf, sizeof(buf)) == 9 && !memcmp(buf, "/dev/null", 9));
	CHECK(lstat(name, &st) == 0 && (st.st_mode & 0700) == 0300);
	close(fd);
	CHECK_ERROR(readlink(name, buf, sizeof(buf)), ENOENT);
}

CASE(fdinfo_tells_position_and_flags)
{
	char name[64];
	int fd;

	scratch();
	make("f", "0123456789");
	fd = open("f", O_RDWR | O_APPEND | O_CLOEXEC);
	lseek(fd, 7, SEEK_SET);
	snprintf(name, sizeof(name), "/proc/self/fdinfo/%d", fd);
	CHECK(atoi(value_of(name, "pos:")) == 7);
	CHECK((strtoul(value_of(name, "flags:"), NULL, 8) & ~0100000ul) ==
	      (O_RDWR | O_APPEND | O_CLOEXEC));
	CHECK(atoi(value_of(name, "mnt_id:")) > 0);
	CHECK(*value_of(name, "ino:"));
}

CASE(limits_show_what_is_set)
{
	struct rlimit limit = {123, 456};

	CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
	CHECK(atoi(value_of("/proc/self/limits", "Max open files")) == 123);
}

CASE(mounts_and_mountinfo_agree)
{
	CHECK(strstr(whole("/proc/self/mounts"), " /proc proc "));
	CHECK(strstr(whole("/proc/mounts"), " /proc proc "));
	CHECK(strstr(whole("/proc/self/mountinfo"), " - proc "));
}

CASE(task_has_a_folder_for_each_thread)
{
	char name[64];

	snprintf(name, sizeof(name), "/proc/self/task/%d/stat", gettid());
	CHECK(access(name, R_OK) == 0 && access("/proc/self/task/1999999999", F_OK) == -1);
	CHECK(*whole(name));
}

CASE(oom_score_is_adjusted)
{
	int fd = open("/proc/self/oom_score_adj", O_RDWR);

	CHECK(write(fd, "500\n", 4) == 4 && atoi(whole("/proc/self/oom_score_adj")) == 500);
	CHECK_ERROR(write(fd, "2000", 4), EINVAL);
	CHECK_ERROR(write(fd, "text", 4), EINVAL);
	CHECK(atoi(whole("/proc/self/oom_score")) > 0);
}

CASE(small_files_of_a_process)
{
	static const char *const names[] = {
		"wchan",         "personality", "sched", "schedstat", "coredump_filter",
		"timerslack_ns", "cgroup",      "auxv",  "loginuid"};
	char path[64];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "/proc/self/%s", names[i]);
		CHECK(open(path, O_RDONLY) >= 0);
	}
}

CASE(folder_of_a_process_goes_with_it)
{
	char name[64];
	pid_t pid = fork();
	int fd;

	if (pid == 0)
		pause();
	snprintf(name, sizeof(name), "/proc/%d", pid);
	fd = open(name, O_RDONLY);
	CHECK(fd >= 0 && faccessat(fd, "stat", R_OK, 0) == 0);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	CHECK_ERROR(access(name, F_OK), ENOENT);
	CHECK_ERROR(openat(fd, "stat", O_RDONLY), ESRCH);
	CHECK_ERROR(open("/proc/0", O_RDONLY), ENOENT);
}

CASE(zombie_is_z)
{
	char name[64];
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	usleep(100000);
	snprintf(name, sizeof(name), "/proc/%d/stat", pid);
	CHECK(strstr(whole(name), ") Z "));
	snprintf(name, sizeof(name), "/proc/%d/cmdline", pid);
	CHECK(*whole(name) == 0);
	waitpid(pid, NULL, 0);
}

CASE(others_processes_are_not_looked_into)
{
	char name[64];
	pid_t pid = fork();

	if (pid == 0) {
		alarm(2);
		pause();
	}
	CHECK(be_user(1000) == 0);
	snprintf(name, sizeof(name), "/proc/%d/status", pid);
	CHECK(open(name, O_RDONLY) >= 0);
	snprintf(name, sizeof(name), "/proc/%d/environ", pid);
	CHECK_ERROR(open(name, O_RDONLY), EACCES);
	snprintf(name, sizeof(name), "/proc/%d/fd", pid);
	CHECK_ERROR(open(name, O_RDONLY), EACCES);
	snprintf(name, sizeof(name), "/proc/%d/cwd", pid);
	CHECK_ERROR(readlink(name, buf, 10), EACCES);
}

CASE(meminfo_agrees_with_sysinfo)
{
	struct sysinfo info;
	unsigned long total = strtoul(value_of("/proc/meminfo", "MemTotal:"), NULL, 10);

	CHECK(sysinfo(&info) == 0 && total == info.totalram * info.mem_unit / 1024);
	CHECK(strtoul(value_of("/proc/meminfo", "MemFree:"), NULL, 10) <= total);
	CHECK(strtoul(value_of("/proc/meminfo", "MemAvailable:"), NULL, 10) > 0);
	CHECK(*value_of("/proc/meminfo", "Cached:") && *value_of("/proc/meminfo", "Shmem:"));
	CHECK(*value_of("/proc/meminfo", "HugePages_Total:"));
}

CASE(cached_memory_grows_with_files)
{
	unsigned long before, after;
	int fd;

	scratch();
	before = strtoul(value_of("/proc/meminfo", "Shmem:"), NULL, 10);
	fd = open("f", O_RDWR | O_CREAT, 0600);
	CHECK(fallocate(fd, 0, 0, 8 << 20) == 0);
	after = strtoul(value_of("/proc/meminfo", "Shmem:"), NULL, 10);
	CHECK(after >= before + (7 << 10));
}

CASE(stat_of_the_machine)
{
	char line[4096];

	CHECK(sscanf(value_of("/proc/stat", "cpu "), "%*u %*u %*u %*u %*u %*u %*u %*u %*u %4s",
		     line) == 1);
	CHECK(*value_of("/proc/stat", "cpu0 ") && atol(value_of("/proc/stat", "btime ")) > 0);
	CHECK(*value_of("/proc/stat", "intr ") && *value_of("/proc/stat", "ctxt "));
	CHECK(atol(value_of("/proc/stat", "processes ")) > 0);
	CHECK(atol(value_of("/proc/stat", "procs_running ")) > 0);
}

CASE(uptime_loadavg_and_version)
{
	double up, idle, load[3];
	int running, all, last;
	struct utsname name;

	CHECK(sscanf(whole("/proc/uptime"), "%lf %lf", &up, &idle) == 2 && up > 0);
	CHECK(sscanf(whole("/proc/loadavg"), "%lf %lf %lf %d/%d %d", load, load + 1, load + 2,
		     &running, &all, &last) == 6);
	CHECK(running >= 1 && all >= running && last >= getpid());
	CHECK(uname(&name) == 0 && strstr(whole("/proc/version"), name.release));
	CHECK(!strncmp(buf, "Linux version ", 14));
}

CASE(cpuinfo_lists_every_processor)
{
	int n = 0;
	char *s;

	whole("/proc/cpuinfo");
	for (s = buf; (s = strstr(s, "processor\t: ")); s++)
		n++;
	CHECK(n == sysconf(_SC_NPROCESSORS_ONLN));
	CHECK(strstr(buf, "\nflags\t\t: fpu ") && strstr(buf, " sse2 ") && strstr(buf, " lm "));
	CHECK(strstr(buf, "\nmodel name\t: ") && strstr(buf, "\nphysical id\t: "));
}

CASE(sys_shows_processors_and_nodes)
{
	char want[32];
	long n = sysconf(_SC_NPROCESSORS_CONF);

	snprintf(want, sizeof(want), n > 1 ? "0-%ld\n" : "0\n", n - 1);
	CHECK(!strcmp(whole("/sys/devices/system/cpu/online"), want));
	CHECK(!strcmp(whole("/sys/devices/system/cpu/possible"), want));
	CHECK(!strcmp(whole("/sys/devices/system/cpu/cpu0/topology/physical_package_id"), "0\n"));
	CHECK(!strncmp(whole("/sys/devices/system/cpu/cpu0/topology/thread_siblings_list"), "0",
		       1));
	CHECK(!strncmp(whole("/sys/devices/system/node/online"), "0", 1));
	CHECK(!strncmp(whole("/sys/devices/system/node/node0/cpulist"), "0", 1));
}

CASE(tables_of_the_machine)
{
	CHECK(strstr(whole("/proc/filesystems"), "nodev\ttmpfs\n"));
	CHECK(strstr(whole("/proc/devices"), "Character devices:\n  1 mem\n"));
	CHECK(!strncmp(whole("/proc/swaps"), "Filename\t", 9));
	CHECK(*value_of("/proc/vmstat", "nr_free_pages "));
	CHECK(*value_of("/proc/vmstat", "pgfault "));
	CHECK(access("/proc/cmdline", R_OK) == 0);
}

CASE(numbers_of_sys_are_read_and_set)
{
	char old[64];
	int fd = open("/proc/sys/vm/overcommit_memory", O_RDWR);

	CHECK(fd >= 0);
	strcpy(old, whole("/proc/sys/vm/overcommit_memory"));
	CHECK_ERROR(write(fd, "7\n", 2), EINVAL);
	CHECK_ERROR(write(fd, "abc", 3), EINVAL);
	CHECK(!strcmp(whole("/proc/sys/vm/overcommit_memory"), old));
	CHECK(write(fd, old, strlen(old)) == (ssize_t)strlen(old));
	CHECK(atoi(whole("/proc/sys/kernel/pid_max")) >= 32768);
	CHECK(atoi(whole("/proc/sys/kernel/cap_last_cap")) == 40);
	CHECK(atoi(whole("/proc/sys/fs/pipe-max-size")) == 1 << 20);
	CHECK(strtoul(whole("/proc/sys/fs/file-max"), NULL, 10) > 0);
	CHECK(atoi(whole("/proc/sys/fs/nr_open")) == 1 << 20);
	CHECK(be_user(1000) == 0);
	CHECK_ERROR(open("/proc/sys/kernel/pid_max", O_WRONLY), EACCES);
}

CASE(random_identifiers)
{
	char one[64];

	strcpy(one, whole("/proc/sys/kernel/random/uuid"));
	CHECK(strlen(one) == 37 && one[14] == '4' &&
	      strcmp(whole("/proc/sys/kernel/random/uuid"), one));
	strcpy(one, whole("/proc/sys/kernel/random/boot_id"));
	CHECK(strlen(one) == 37 && !strcmp(whole("/proc/sys/kernel/random/boot_id"), one));
}

CASE(files_of_proc_are_what_they_are)
{
	struct stat st;

	CHECK(stat("/proc/version", &st) == 0 && S_ISREG(st.st_mode) && st.st_size == 0);
	CHECK((st.st_mode & 0777) == 0444);
	CHECK_ERROR(unlink("/proc/version"), EPERM);
	CHECK_ERROR(mkdir("/proc/new", 0700), ENOENT);
	CHECK_ERROR(open("/proc/new", O_CREAT | O_WRONLY, 0600), ENOENT);
	CHECK(lseek(open("/proc/version", O_RDONLY), 3, SEEK_SET) == 3);
	CHECK_ERROR(open("/proc/nothing", O_RDONLY), ENOENT);
}
