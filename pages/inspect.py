"""inspect"""
from app import state
state.page_head('inspect')
state.page_foot()
