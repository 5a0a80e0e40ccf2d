"""The parts of one Discord, wired once and shared by all code that acts on it."""

from dispinmap.clock import Clock
from dispinmap_sandbox.discord.events import Events
from dispinmap_sandbox.discord.gateway import Gateway
from dispinmap_sandbox.discord.interactions import Interactions
from dispinmap_sandbox.discord.posts import Posts
from dispinmap_sandbox.discord.state import State


class Parts:
    """The state, and the parts that change it."""

    def __init__(self, clock: Clock, token: str) -> None:
        self.state = State(clock)
        self.events = Events()
        self.gateway = Gateway(self.state, token)
        self.posts = Posts(self.state, self.gateway, self.events)
        self.interactions = Interactions(self.state, self.gateway, self.posts, self.events)
