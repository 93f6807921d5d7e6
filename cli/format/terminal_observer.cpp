#include "cli/format/terminal_observer.h"

namespace cultivar {

bool TerminalObserver::interrupted() const { return context_.interrupted(); }
void TerminalObserver::note(std::string_view line) { context_.ui.note(line); }
void TerminalObserver::warn(std::string_view line) { context_.ui.warn(line); }

}  // namespace cultivar
