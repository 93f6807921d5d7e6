#include "cli/search/while_command.h"

#include "pool/process/child_process.h"

namespace cultivar {
namespace {

constexpr double kLimit_s = 60, kChildLook_s = 0.02;

}  // namespace

bool ask_while_command(const std::string& command, const Clock& clock, const std::function<bool()>& interrupted) {
    auto child = Child::start({"/bin/sh", "-c", command}, 0);
    if (!child) return false;
    const double begun_s = clock.now_s();
    while (!child->has_ended() && !interrupted() && clock.now_s() - begun_s <= kLimit_s) clock.sleep_s(kChildLook_s);
    const bool ended = child->has_ended();
    return child->reap().exit_code == 0 && ended;
}

}  // namespace cultivar
