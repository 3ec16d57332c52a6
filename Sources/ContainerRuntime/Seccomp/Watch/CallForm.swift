/// What the arguments of a system call are, for those that people meet in filters. Of others the six registers are shown.
struct CallForm {
    enum Argument: Character {
        /// A descriptor, an id, a number that may be negative.
        case integer = "i"
        /// Flags, addresses, sizes.
        case bits = "x"
        /// A file mode.
        case octal = "o"
        /// The address of a string: a path, or a name.
        case text = "p"
    }

    private let letters: [Argument]

    var count: Int { letters.count }
    subscript(index: Int) -> Argument? { index < letters.count ? letters[index] : nil }

    static func of(_ name: String) -> CallForm? {
        for form in table where form.name.description == name {
            return CallForm(letters: form.letters.description.compactMap(Argument.init))
        }
        return nil
    }

    /// For tests.
    static var names: [String] { table.map { $0.name.description } }

    /// By the first lines of section 2 of the manual.
    private static let table: [(name: StaticString, letters: StaticString)] = [
        // Files by path
        ("open", "pxo"), ("openat", "ipxo"), ("openat2", "ipxx"), ("creat", "po"), ("access", "pi"),
        ("faccessat", "ipi"), ("faccessat2", "ipix"), ("stat", "px"), ("lstat", "px"), ("newfstatat", "ipxx"),
        ("fstatat64", "ipxx"), ("statx", "ipxxx"), ("statfs", "px"), ("readlink", "pxx"), ("readlinkat", "ipxx"),
        ("chdir", "p"), ("chroot", "p"), ("mkdir", "po"), ("mkdirat", "ipo"), ("rmdir", "p"), ("unlink", "p"),
        ("unlinkat", "ipx"), ("rename", "pp"), ("renameat", "ipip"), ("renameat2", "ipipx"), ("link", "pp"),
        ("linkat", "ipipx"), ("symlink", "pp"), ("symlinkat", "pip"), ("mknod", "pox"), ("mknodat", "ipox"),
        ("chmod", "po"), ("fchmod", "io"), ("fchmodat", "ipo"), ("fchmodat2", "ipox"), ("chown", "pii"),
        ("lchown", "pii"), ("fchown", "iii"), ("fchownat", "ipiix"), ("truncate", "px"), ("utime", "px"),
        ("utimes", "px"), ("utimensat", "ipxx"), ("execve", "pxx"), ("execveat", "ipxxx"),
        ("name_to_handle_at", "ipxxx"), ("open_by_handle_at", "ixx"), ("inotify_add_watch", "ipx"),
        ("getxattr", "ppxx"), ("lgetxattr", "ppxx"), ("setxattr", "ppxxx"), ("lsetxattr", "ppxxx"),
        ("listxattr", "pxx"), ("removexattr", "pp"),
        // Mounts
        ("mount", "pppxx"), ("umount2", "px"), ("umount", "p"), ("pivot_root", "pp"), ("move_mount", "ipipx"),
        ("open_tree", "ipx"), ("fsopen", "px"), ("fsmount", "ixx"), ("fspick", "ipx"), ("fsconfig", "ixpxi"),
        ("mount_setattr", "ipxxx"), ("swapon", "px"), ("swapoff", "p"), ("quotactl", "xpix"), ("acct", "p"),
        // Sockets
        ("socket", "ixi"), ("socketpair", "ixix"), ("connect", "ixi"), ("bind", "ixi"), ("listen", "ii"),
        ("accept", "ixx"), ("accept4", "ixxx"), ("getsockname", "ixx"), ("getpeername", "ixx"),
        ("setsockopt", "iiixi"), ("getsockopt", "iiixx"), ("sendto", "ixixxi"), ("recvfrom", "ixixxx"),
        ("sendmsg", "ixx"), ("recvmsg", "ixx"), ("sendmmsg", "ixix"), ("recvmmsg", "ixixx"), ("shutdown", "ii"),
        ("socketcall", "ix"),
        // Processes and privileges
        ("clone", "xxxxx"), ("clone3", "xx"), ("fork", ""), ("vfork", ""), ("unshare", "x"), ("setns", "ix"),
        ("ptrace", "iixx"), ("kill", "ii"), ("tkill", "ii"), ("tgkill", "iii"), ("prctl", "ixxxx"), ("seccomp", "ixx"),
        ("setuid", "i"), ("setgid", "i"), ("setreuid", "ii"), ("setregid", "ii"), ("setresuid", "iii"),
        ("setresgid", "iii"), ("setgroups", "ix"), ("setfsuid", "i"), ("setfsgid", "i"), ("getsid", "i"),
        ("setsid", ""), ("getpgid", "i"), ("setpgid", "ii"), ("getpid", ""), ("gettid", ""), ("getppid", ""),
        ("getuid", ""), ("getgid", ""), ("geteuid", ""), ("getegid", ""), ("capget", "xx"), ("capset", "xx"),
        ("personality", "x"), ("setpriority", "iii"), ("getpriority", "ii"), ("sched_setscheduler", "iix"),
        ("sched_setaffinity", "iix"), ("sched_getaffinity", "iix"), ("sched_setattr", "ixx"), ("sched_yield", ""),
        ("prlimit64", "iixx"), ("setrlimit", "ix"), ("getrlimit", "ix"), ("wait4", "ixxx"), ("waitid", "iixxx"),
        ("exit", "i"), ("exit_group", "i"), ("pidfd_open", "ix"), ("pidfd_getfd", "iix"), ("kcmp", "iiixx"),
        ("process_vm_readv", "ixixix"), ("process_vm_writev", "ixixix"),
        // The machine
        ("reboot", "xxxx"), ("sethostname", "pi"), ("setdomainname", "pi"), ("settimeofday", "xx"),
        ("clock_settime", "ix"), ("clock_adjtime", "ix"), ("adjtimex", "x"), ("syslog", "ixi"), ("iopl", "i"),
        ("ioperm", "xxi"), ("init_module", "xxp"), ("finit_module", "ipx"), ("delete_module", "px"),
        ("kexec_load", "xxxx"), ("bpf", "ixx"), ("perf_event_open", "xiiix"), ("userfaultfd", "x"),
        ("io_uring_setup", "xx"), ("io_uring_enter", "ixxxx"), ("io_uring_register", "ixxx"), ("keyctl", "ixxxx"),
        ("add_key", "ppxxi"), ("request_key", "pppi"), ("sync", ""), ("sysinfo", "x"), ("uname", "x"),
        // Descriptors and memory
        ("read", "ixx"), ("write", "ixx"), ("close", "i"), ("close_range", "iix"), ("fstat", "ix"), ("lseek", "iii"),
        ("ioctl", "ixx"), ("fcntl", "iix"), ("dup", "i"), ("dup2", "ii"), ("dup3", "iix"), ("pipe", "x"),
        ("pipe2", "xx"), ("poll", "xii"), ("ppoll", "xixxx"), ("select", "ixxxx"), ("epoll_create1", "x"),
        ("epoll_ctl", "iiix"), ("epoll_wait", "ixii"), ("eventfd2", "ix"), ("memfd_create", "px"),
        ("memfd_secret", "x"), ("mmap", "xxxxix"), ("mprotect", "xxx"), ("munmap", "xx"), ("mremap", "xxxxx"),
        ("brk", "x"), ("madvise", "xxi"), ("mlock", "xx"), ("mlockall", "x"), ("mbind", "xxxxxx"),
        ("set_mempolicy", "ixx"), ("get_mempolicy", "xxxxx"), ("move_pages", "ixxxxx"), ("pkey_alloc", "xx"),
        ("futex", "xixxxx"), ("getrandom", "xxx"), ("nanosleep", "xx"), ("clock_gettime", "ix"),
        ("clock_nanosleep", "iixx"), ("getdents64", "ixx"), ("getcwd", "xx"), ("umask", "o"), ("rseq", "xxxx"),
        ("statmount", "xxxx"), ("listmount", "xxxx"), ("mseal", "xxx"), ("cachestat", "ixxx"),
    ]
}
