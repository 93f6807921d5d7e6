// Shows an engine's lines on the terminal and tells it of a signal.
#pragma once

#include "cli/app/context.h"
#include "cli/session/observer.h"

namespace cultivar {

class TerminalObserver final : public Observer {
public:
    explicit TerminalObserver(Context& context) : context_(context) {}  // must outlive it

    bool interrupted() const override;
    void note(std::string_view line) override;
    void warn(std::string_view line) override;

private:
    Context& context_;
};

}  // namespace cultivar
