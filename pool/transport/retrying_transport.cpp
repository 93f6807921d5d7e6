#include "pool/transport/retrying_transport.h"

#include <chrono>
#include <cmath>
#include <random>
#include <thread>

namespace cultivar {
namespace {

class Retrying : public Transport {
public:
    Retrying(std::unique_ptr<Transport> inner, Backoff backoff)
        : inner_(std::move(inner)), backoff_(std::move(backoff)) {}

    Result<FetchReport> fetch(const std::string& remote, const std::vector<std::string>& refspecs) override {
        return inner_->fetch(remote, refspecs);
    }
    Result<void> each_ref(const std::string& remote, const RefVisitor& visit) override {
        return inner_->each_ref(remote, visit);
    }

    Result<std::vector<PushStatus>> push(const std::string& remote, const std::vector<PushItem>& items) override {
        auto sent = inner_->push(remote, items);
        for (int tried = 1; tried < backoff_.tries; ++tried) {
            std::vector<std::size_t> open = worth_another(sent, items.size());
            if (open.empty() || !backoff_.sleep(pause_s(tried))) break;
            std::vector<PushItem> rest;
            for (std::size_t i : open) rest.push_back(items[i]);
            auto again = inner_->push(remote, rest);
            const bool final = !again && !may_pass(again.error());
            if (!sent) {
                sent = std::move(again);
            } else if (again) {
                for (std::size_t i = 0; i < open.size(); ++i) (*sent)[open[i]] = (*again)[i];
            }
            if (final) break;
        }
        return sent;
    }

private:
    static std::vector<std::size_t> worth_another(const Result<std::vector<PushStatus>>& sent, std::size_t items) {
        std::vector<std::size_t> open;
        for (std::size_t i = 0; i < items; ++i) {
            if (sent ? may_pass((*sent)[i]) : may_pass(sent.error())) open.push_back(i);
        }
        return open;
    }
    double pause_s(int tried) const { return backoff_.first_s * std::ldexp(0.5 + backoff_.uniform(), tried - 1); }

    std::unique_ptr<Transport> inner_;
    Backoff backoff_;
};

}  // namespace

bool may_pass(const PushStatus& status) { return status.refusal == PushRefusal::transient; }

bool may_pass(const Error& error) { return error.code == Code::git && error.reason == Reason::transient; }

Backoff real_backoff(std::function<bool()> stop) {
    Backoff backoff;
    backoff.sleep = [stop = std::move(stop)](double seconds) {
        const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
        while (std::chrono::steady_clock::now() < end) {
            if (stop && stop()) return false;
            std::this_thread::sleep_for(std::chrono::milliseconds(50));
        }
        return true;
    };
    backoff.uniform = [engine = std::make_shared<std::mt19937_64>(std::random_device{}())] {
        return std::uniform_real_distribution<double>(0, 1)(*engine);
    };
    return backoff;
}

std::unique_ptr<Transport> retrying(std::unique_ptr<Transport> inner, Backoff backoff) {
    return std::make_unique<Retrying>(std::move(inner), std::move(backoff));
}

}  // namespace cultivar
