"""Follow-up: is it working for this person, and what now? A diary in, the forecast updated, continue, change or stop.

diary = read_diary("diary.csv", today=datetime.date.today())
follow_up(case, diary).advice
"""

from lissive.follow.answer import FollowAnswer
from lissive.follow.diary import Diary, read_diary
from lissive.follow.run import follow_up

__all__ = ["Diary", "FollowAnswer", "follow_up", "read_diary"]
