"""q(z|x) over two levels, top-down."""

from tfvae.distributions.draws import Draw
from tfvae.inference.proposal import Proposal


class Levels(Proposal):
    """q(z1|x) q(z2|z1), with z the dict {"z1", "z2"}.

    Args:
        head: Of q(z1|x).
        first: q(z1|x).
        upward: The encoder from z1 to q(z2|z1).
    """

    def __init__(self, head, first, upward):
        self.head, self.first, self.upward = head, first, upward

    def draw(self, noise):
        z1, log_q1 = self.head.draw(self.first, noise.part(1))
        z2, log_q2 = self.upward.head.draw(self.upward(z1), noise.part(2))
        return Draw({"z1": z1, "z2": z2}, log_q1 + log_q2)

    def log_prob(self, z):
        return self.first.log_prob(z["z1"]) + self.upward(z["z1"]).log_prob(z["z2"])

    def mean(self):
        code = self.head.code(self.first)
        return {"z1": code, "z2": self.upward.head.code(self.upward(code))}

    def scale(self):
        at_code = self.upward(self.head.code(self.first))
        return {"z1": self.first.stddev(), "z2": at_code.stddev()}
