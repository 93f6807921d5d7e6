// The sandbox and the limits of a trainer: of cultivar's own worker, and of a pool's command.
#pragma once

#include <cstdlib>

#include "train/launch/trainer_process.h"

namespace cultivar {

// Sets the sandbox and the limits of cultivar's own worker: it reads its specification, its data and the artifact to
// score, and writes below its work_dir. Memory: that of the machine. CPU time: every thread for all of the wall time.
// Disk: 8 GiB per file, 16 GiB in all. For devices other than "cpu", their device files are reachable and memory is not
// limited.
void confine(LaunchOptions& options, const Specification& specification);

// Is there a device of this kind ("cpu", "cuda", "mps"), going by the files of `devices`?
bool has_device(const std::string& device, const std::string& devices = "/dev");

// Is there a device of this number, "1" or "" for any, going by those that this process may see (`visible`: its
// CUDA_VISIBLE_DEVICES), else by the files of NVIDIA's devices? True where neither counts them.
bool has_device_number(const std::string& number, const char* visible = std::getenv("CUDA_VISIBLE_DEVICES"),
                       const std::string& devices = "/dev");

// The variable of the environment by which a program sees one device of several; none if any will do. Numbers count those
// that `visible` lists: this process's own CUDA_VISIBLE_DEVICES, if it has one.
std::vector<std::string> device_variables(const Specification& specification,
                                          const char* visible = std::getenv("CUDA_VISIBLE_DEVICES"));

// Sets those of a pool's command: it reads `read` (files and folders), writes in the specification's work_dir, which is also
// its home and its place for temporary files, and starts programs of this machine. Memory, disk and processes as above, all
// of its processes together; processor time of every thread for all of the wall time. What it tries in vain fails, and does
// not end it.
void confine_command(LaunchOptions& options, const Specification& specification, std::vector<std::string> read);
// Variables that name the folder `from`, such as HOME, name `to` from now on, which may be written too.
void move_home(SandboxRules& rules, const std::string& from, const std::string& to);
// A task may ask for the network.
void allow_network(SandboxRules& rules);

}  // namespace cultivar
